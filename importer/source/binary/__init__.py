"""The records of XLS and XLSB workbooks."""
