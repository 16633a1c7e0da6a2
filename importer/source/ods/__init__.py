"""ODS workbooks, read from their XML alone."""
