"""Ask the CRM for created cases and compare them with the sheet; nothing there, and no row's state, is changed.

selecting   which rows are asked about, which calls that takes, and what they cost
edits       where a row was edited since its case was created
comparing   a record of the CRM beside what the sheet says of its row
asking      the calls, by some workers, and what each of them shows
events      how a person or a program follows it
handing     what the hand-over workbook lists of every row
"""
