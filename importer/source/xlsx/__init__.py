"""XLSX workbooks: what their XML says beside calamine, and how an untidy one is rewritten."""
