# What --notify starts: it gets one JSON object, and shows a message where a run needs somebody.
$ended = [Console]::In.ReadToEnd() | ConvertFrom-Json
if ($ended.exits_with -notin 0, 3) {
    msg.exe * "case-importer: run $($ended.run) of $($ended.import) ended with $($ended.exits_with). Report: $($ended.report)"
}
