"""The journal's tables as the program uses them today; `migrations` creates them.

Columns whose names end in `_at` are seconds since 1970 in UTC, for people. Leases and deadlines are measured by
`system.clock`, which no change of the wall clock affects. No table holds a cell: keys and contents are digests, and
the value by which an unknown row is searched stays with its attempt only until the row is settled.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, UniqueConstraint

metadata = MetaData()


migrations = Table(
    "migrations",
    metadata,
    Column("name", String, primary_key=True),
    Column("applied_at", Float, nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("operation", String, nullable=False),
    Column("name", String, nullable=False),
    Column("bound_to", String),  # the one file of an import under `key: content`, by its digest
    Column("key_rule", String),  # what identifies a row, as JSON; NULL until a run has recorded it
    Column("created_at", Float, nullable=False),
    UniqueConstraint("tenant", "operation", "name"),
)

aliases = Table(
    "aliases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("operation", String, nullable=False),
    Column("name", String, nullable=False),
    Column("import_id", ForeignKey("imports.id"), nullable=False),  # the import that this name or host also stands for
    UniqueConstraint("tenant", "operation", "name"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("import_id", ForeignKey("imports.id"), nullable=False),
    Column("source", String, nullable=False),
    Column("source_digest", String, nullable=False),
    Column("mapping_digest", String, nullable=False),
    Column("corrections_digest", String),  # of the file of corrections; NULL: there was none
    Column("server", String, nullable=False),
    Column("user", String, nullable=False),
    Column("program", String, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("calls", Integer),
    Column("counts", String),  # a JSON object of counts per state
    Column("exit_status", Integer),
)

column_sets = Table(
    "column_sets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("names", String, nullable=False, unique=True),  # a JSON list: the columns that a content hash covers
)

rows = Table(
    "rows",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("import_id", ForeignKey("imports.id"), nullable=False),
    Column("key_digest", String, nullable=False),
    Column("loose_digest", String, nullable=False),
    Column("reference", String, nullable=False, unique=True),
    Column("state", String, nullable=False),
    Column("content_hash", String, nullable=False),
    Column("column_set_id", ForeignKey("column_sets.id"), nullable=False),
    Column("column_digests", String),  # one for each column of the set; NULL: recorded before there were any
    Column("changed", Boolean, nullable=False, default=False),
    Column("disputed", Boolean, nullable=False, default=False),  # another row was answered with this row's id
    Column("deleted", Boolean, nullable=False, default=False),  # a person said that the case is gone from the CRM
    Column("attempt_id", Integer),  # the attempt that the state describes
    Column("update_id", Integer),  # the newest update of the row's case
    Column("wolkvox_id", String),
    Column("id_prefijo", String),
    Column("message", String, nullable=False, default=""),
    Column("sent_at", Float),
    Column("run_id", Integer),
    UniqueConstraint("import_id", "key_digest"),
    Index("rows_by_loose_digest", "import_id", "loose_digest"),
    Index("rows_by_state", "import_id", "state"),
    Index("rows_by_key_digest", "key_digest"),
    Index("rows_by_wolkvox_id", "wolkvox_id"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("row_id", ForeignKey("rows.id"), nullable=False),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("owner", String, nullable=False),
    Column(
        "token", String, nullable=False, default=""
    ),  # random: distinguishes this attempt from one of a copied journal
    Column("started_at", Float, nullable=False),
    Column("boot", String),  # `clock.boot_id` under which the next three are measured; NULL: before there was one
    Column("began", Float),
    Column("deadline", Float),  # nothing of the attempt is sent after this
    Column("lease", Float),  # after this the row counts as unknown
    Column("body_length", Integer, nullable=False),
    Column("search_field", String),
    Column("mark_place", String),  # the field that carries the reference; NULL: not known
    Column("search_value", String),  # erased once the row is settled
    Column("ended_at", Float),
    Column("verdict", String),
    Column("http_status", Integer),
    Column("code", String),
    Column("wolkvox_id", String),
    Column("message", String),
    Index("attempts_by_row", "row_id"),
    Index("attempts_by_run", "run_id"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("operation", String, nullable=False),
    Column("digest", String, nullable=False),  # of the folded address, under the journal's own secret
    Column("state", String, nullable=False),
    Column("how", String, nullable=False),  # what the state comes from: search, sent, by-hand
    Column("search", String),  # random: the search that found none; only who made it may create the contact
    Column("attempt_id", Integer),  # the attempt that the state describes
    Column("wolkvox_id", String),
    Column("message", String, nullable=False, default=""),
    Column("rejected", String),  # the digest of the fields that the CRM rejected; NULL: it rejected none
    Column("user", String),  # who decided by hand
    Column("changed_at", Float, nullable=False),
    UniqueConstraint("tenant", "operation", "digest"),
    Index("contacts_by_state", "tenant", "operation", "state"),
)

contact_attempts = Table(
    "contact_attempts",
    metadata,
    Column("id", Integer, primary_key=True),  # in one sequence with the numbers of `attempts`
    Column("contact_id", ForeignKey("contacts.id"), nullable=False),
    Column("run_id", Integer),  # NULL: made by the command `contacts`
    Column("owner", String, nullable=False),
    Column("token", String, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("boot", String, nullable=False),
    Column("began", Float, nullable=False),
    Column("deadline", Float, nullable=False),
    Column("lease", Float, nullable=False),
    Column("fields", String, nullable=False),  # the digest of what is sent
    Column("search_value", String),  # the address; erased once the contact is settled
    Column("ended_at", Float),
    Column("verdict", String),
    Column("http_status", Integer),
    Column("code", String),
    Column("wolkvox_id", String),
    Column("message", String),
    Index("contact_attempts_by_contact", "contact_id"),
    Index("contact_attempts_by_run", "run_id"),
)

updates = Table(
    "updates",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("row_id", ForeignKey("rows.id"), nullable=False),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("owner", String, nullable=False),
    Column("token", String, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("boot", String, nullable=False),  # as of an attempt, as are the next three
    Column("began", Float, nullable=False),
    Column("deadline", Float, nullable=False),
    Column("lease", Float, nullable=False),
    Column("state", String, nullable=False),  # `edits.UpdateState`
    Column("ended_at", Float),
    Column("http_status", Integer),
    Column("code", String),
    Column("message", String, nullable=False),
    Column("content_hash", String, nullable=False),  # of the content that it carries; the row's, once it succeeded
    Column("column_digests", String, nullable=False),
    Column("column_set_id", ForeignKey("column_sets.id"), nullable=False),
    Index("updates_by_row", "row_id"),
    Index("updates_by_run", "run_id"),
)

arrived_ids = Table(
    "arrived_ids",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("row_id", ForeignKey("rows.id"), nullable=False),
    Column("attempt_id", Integer),
    Column("wolkvox_id", String, nullable=False),
    Column("how", String, nullable=False),  # answer, search, by-hand, report
    Column("dismissed", Boolean, nullable=False, default=False),  # settled since: kept as history
    Column("arrived_at", Float, nullable=False),
    Index("arrived_ids_by_row", "row_id"),
    Index("arrived_ids_by_wolkvox_id", "wolkvox_id"),
)

row_spellings = Table(
    "row_spellings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("import_id", ForeignKey("imports.id"), nullable=False),
    Column("row_id", ForeignKey("rows.id"), nullable=False),
    Column("digest", String, nullable=False),  # of another way in which a program may show the row's key
    Index("row_spellings_by_digest", "import_id", "digest"),
)

uncorrected_keys = Table(
    "uncorrected_keys",
    metadata,
    Column("digest", String, primary_key=True),  # of a key that the row has where its corrections are lost
    Column("import_id", ForeignKey("imports.id"), primary_key=True),
    Column("row_id", ForeignKey("rows.id"), primary_key=True),
    Column("partly", Boolean, nullable=False),  # with some of its corrections still
    sqlite_with_rowid=False,
)

spot_checks = Table(
    "spot_checks",
    metadata,
    Column("import_id", ForeignKey("imports.id"), primary_key=True),
    Column("source_digest", String, primary_key=True),
    Column("checked_at", Float, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)

computers = Table(
    "computers",
    metadata,
    Column("id", String, primary_key=True),  # the id of a user's state folder, where the high-water mark is kept
    Column("first_seen_at", Float, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("question", String, nullable=False),  # as the options are called: first-run, moved-here, …
    Column("about", String, nullable=False, default=""),
    Column("answer", String, nullable=False, default=""),
    Column("user", String, nullable=False),
    Column("decided_at", Float, nullable=False),
    Index("decisions_by_question", "question", "about"),
)

reports = Table(
    "reports",
    metadata,
    Column("digest", String, primary_key=True),  # of a report as it was written; an edited one has another
    Column("import_id", ForeignKey("imports.id"), nullable=False),
    Column("written_at", Float, nullable=False),
    Column("source", String),  # the file that it is about; NULL: written before this was recorded
    Column("fingerprint", String),  # no longer written or read: it distinguished a report from one with the same rows
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("row_id", ForeignKey("rows.id"), nullable=False),
    Column("attempt_id", Integer),  # the attempt that was decided about, NULL where the row had none
    Column("how", String, nullable=False),  # search, look-first, by-hand, report, adopted, dispute
    Column("state", String, nullable=False),
    Column("wolkvox_id", String),
    Column("user", String, nullable=False),
    Column("decided_at", Float, nullable=False),
)

verifications = Table(
    "verifications",
    metadata,
    Column("row_id", ForeignKey("rows.id"), primary_key=True),  # the CRM was asked for its case
    Column("content_hash", String, nullable=False),  # empty: it was not as the sheet said
    Column("mapping_digest", String, nullable=False),
    Column("wolkvox_id", String, nullable=False),
    Column("files", Integer),  # attachments that the record showed; NULL: it said nothing of them
    Column("at", Float, nullable=False),
)

token_slots = Table(
    "token_slots",
    metadata,
    Column("scope", String, primary_key=True),  # a digest of tenant, operation and token, under the journal's secret
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("holder", String),  # random, of one request; NULL: nobody
    Column("owner", String),
    Column("boot", String),  # as of an attempt, as are the next two
    Column("began", Float),
    Column("lease", Float),  # after this the slot is free, whoever holds it
)

token_pace = Table(
    "token_pace",
    metadata,
    Column("scope", String, primary_key=True),
    Column("boot", String, nullable=False),
    Column("noted", Float, nullable=False),
    Column("next_start", Float, nullable=False),  # by --rate
    Column("gate", Float, nullable=False),  # what the CRM asked for: no request starts before
    Column("doubts", Integer, nullable=False),  # outcomes in a row, as the circuit breaker counts them
    Column("refusals", Integer, nullable=False),
)

queued_imports = Table(
    "queued_imports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String, nullable=False),
    Column("mapping", String, nullable=False),
    Column("options", String, nullable=False),  # a JSON object of a run's options
    Column("source_digest", String),  # NULL: that of the file as it is when the import begins
    Column("mapping_digest", String, nullable=False),
    Column("corrections_digest", String),
    Column("every", String),  # when it begins again, as cron writes it
    Column("until", String),  # nothing is begun after: a moment, or with `every` a time of day
    Column("expect_by", String),
    Column("user", String, nullable=False),
    Column("submitted_at", Float, nullable=False),
    Column("state", String, nullable=False),
    Column("not_before", Float),  # in seconds since 1970; NULL: at once
    Column("begun_at", Float),
    Column("run_id", Integer),
    Column("quota_resets_at", Float),
    Column("pause", String),  # why its run ends early, as JSON
    Column("exit_status", Integer),
    Column("message", String),
    Column("failures", Integer, nullable=False),
    Column("refusals", String, nullable=False),  # a JSON object: why a machine cannot work on it
    Column("holder", String),  # who begins or ends it now, as of an attempt the next three
    Column("boot", String),
    Column("began", Float),
    Column("lease", Float),
    Column("late_told", Float),  # the last time of `expect_by` for which somebody told that it had not begun
)

shares = Table(
    "shares",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("queued_id", Integer, nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("rows", String, nullable=False),  # a JSON list: numbers in the sheet, each with a digest of what is sent
    Column("state", String, nullable=False),  # `free`, `held` or `done`
    Column("holder", String),  # who works on it: name, machine and process
    Column("boot", String),
    Column("began", Float),
    Column("lease", Float),  # after this another may take it
    Column("tried", Integer, nullable=False),  # rows that this holder has tried
    Column("calls", Integer, nullable=False),
    Index("shares_by_queued_import", "queued_id", "state"),
)
