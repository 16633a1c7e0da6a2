"""From cells to values of the CRM's types: dates, numbers, phones, HTML, and the formats that a column proves."""
