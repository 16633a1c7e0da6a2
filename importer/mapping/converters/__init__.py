"""From cells to the CRM's types: dates, numbers, phones, HTML, and what a column must prove for them."""
