"""The page about the contacts of a sheet: which the CRM lacks, asking it, and the file for its own upload."""
