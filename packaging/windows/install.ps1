# Install case-importer for this user of Windows, or remove it (-Uninstall). Instalar.cmd and Desinstalar.cmd start this.
#
# It needs no administrator, writes into one folder of this user, and changes no setting of Windows:
#     %LOCALAPPDATA%\Programs\case-importer      the program; this is all that -Uninstall removes, with the two shortcuts
#     %LOCALAPPDATA%\case-importer               the journal of what was sent; it is never touched here
# It needs Python 3.11 or newer, and the Internet or a mirror of PyPI that pip is set up for.
# Nobody has tried it on Windows yet; if a line fails, please report what it says.

# The version of PowerShell that Windows 10 and 11 bring along is enough.
#Requires -Version 5.1

# -Uninstall is the only option.
param([switch]$Uninstall)

# An unknown variable, or a command of PowerShell that fails, ends the script instead of going on with half of it.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

# The folder of the program, the environment of Python in it, and the two programs that are used.
$Folder = Join-Path $env:LOCALAPPDATA 'Programs\case-importer'
$Environment = Join-Path $Folder 'python'
$Program = Join-Path $Environment 'Scripts\case-importer.exe'
$Page = Join-Path $Environment 'Scripts\case-importer-web.exe'

# The shortcuts: on the desktop, wherever Windows or OneDrive keeps it, and in the start menu.
$Places = @([Environment]::GetFolderPath('Desktop'), [Environment]::GetFolderPath('Programs'))
$Shortcuts = @($Places | ForEach-Object { Join-Path $_ 'Importar casos.lnk' })

# What the script says, in the language that Windows shows, or in English.
$Spanish = @{
    NoWheel = 'Falta el archivo wolkvox_case_importer-….whl junto a este. Extraiga el ZIP completo y repita.'
    NoPython = 'No se encontró Python 3.11 o posterior, de 64 bits. Instálelo desde https://www.python.org/downloads/windows/ y repita.'
    With = 'Se usa Python {0}.'
    InUse = 'No se pudo escribir en {0}. Cierre la página (Cerrar el programa) y las terminales que lo usan, y repita.'
    Download = 'Descargando e instalando; demora de uno a tres minutos.'
    NoDownload = 'No se pudo instalar. Si su oficina usa un proxy, muéstrele a la persona de sistemas las líneas de arriba.'
    Done = 'Listo: {0}. Abra «Importar casos» en su escritorio, o suelte una hoja de Excel sobre ese icono.'
    Removed = 'Se quitó el programa. El registro de envíos y sus informes siguen donde estaban.'
}
$Portuguese = @{
    NoWheel = 'Falta o arquivo wolkvox_case_importer-….whl ao lado deste. Extraia o ZIP inteiro e repita.'
    NoPython = 'Não foi encontrado Python 3.11 ou posterior, de 64 bits. Instale-o de https://www.python.org/downloads/windows/ e repita.'
    With = 'Usando Python {0}.'
    InUse = 'Não foi possível gravar em {0}. Feche a página (Fechar o programa) e os terminais que o usam, e repita.'
    Download = 'Baixando e instalando; demora de um a três minutos.'
    NoDownload = 'Não foi possível instalar. Se o escritório usa um proxy, mostre as linhas acima à equipe de informática.'
    Done = 'Pronto: {0}. Abra "Importar casos" na área de trabalho, ou solte uma planilha do Excel sobre esse ícone.'
    Removed = 'O programa foi removido. O registro de envios e os seus relatórios continuam onde estavam.'
}
$English = @{
    NoWheel = 'The file wolkvox_case_importer-….whl is missing beside this one. Unpack the whole ZIP file and try again.'
    NoPython = 'No Python 3.11 or newer, of 64 bits, was found. Install it from https://www.python.org/downloads/windows/ and try again.'
    With = 'Using Python {0}.'
    InUse = '{0} cannot be written. Close the page (Close the program) and the terminals that use it, and try again.'
    Download = 'Downloading and installing; this takes one to three minutes.'
    NoDownload = 'It could not be installed. If your office uses a proxy, show the lines above to whoever manages computers.'
    Done = 'Done: {0}. Open "Importar casos" on your desktop, or drop an Excel sheet on that icon.'
    Removed = 'The program was removed. The journal of what was sent and your reports are where they were.'
}
switch -Regex ($PSUICulture) {
    '^es' { $Text = $Spanish; break }
    '^pt' { $Text = $Portuguese; break }
    default { $Text = $English }
}

# Say a sentence and end with status 1, which Instalar.cmd passes on.
function Stop-Here([string]$Sentence) {
    Write-Host $Sentence -ForegroundColor Red
    exit 1
}

# Run another program; return what it printed, and leave its exit status in $LASTEXITCODE. What such a program writes to
# its error output would otherwise end this script, even a mere warning.
function Invoke-Program([string]$File, [string[]]$Words) {
    $ErrorActionPreference = 'Continue'
    & $File @Words 2>$null
}

# Return the path of a Python that is new enough, has 64 bits and can make environments; nothing if there is none.
# `py` is the launcher that Python's installer adds; versions for which all parts are ready-made are asked for first.
# `python` may be the sign of the Microsoft Store, which only fails. The question has no quotation marks, since Windows
# PowerShell loses them on the way to a program.
function Find-Python {
    $Question = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11) or sys.maxsize < 2**32 or print(sys.executable))'
    $Candidates = @(@('py', '-3.13'), @('py', '-3.12'), @('py', '-3.14'), @('py', '-3.11'), @('py', '-3'), @('python'))
    foreach ($Candidate in $Candidates) {
        # A name that is no program is left out.
        if (-not (Get-Command $Candidate[0] -CommandType Application -ErrorAction SilentlyContinue)) { continue }
        # -I: neither this folder nor the user's own modules count. -X utf8: a path may have accents.
        $Words = @($Candidate | Select-Object -Skip 1) + @('-I', '-X', 'utf8', '-c', $Question)
        $Found = Invoke-Program $Candidate[0] $Words
        if ($LASTEXITCODE -eq 0 -and $Found) { return ([string]@($Found)[-1]).Trim() }
    }
}

# Remove the shortcuts and the folder of the program, and nothing else.
function Remove-Program {
    foreach ($Path in @($Shortcuts) + @($Folder)) {
        if (Test-Path -LiteralPath $Path) {
            try { Remove-Item -LiteralPath $Path -Recurse -Force }
            catch { Stop-Here ($Text.InUse -f $Path) }
        }
    }
}

# What Python prints is UTF-8; this window shall read it so.
[Console]::OutputEncoding = [Text.Encoding]::UTF8

# Desinstalar.cmd ends here.
if ($Uninstall) {
    Remove-Program
    Write-Host $Text.Removed
    exit 0
}

# The wheel is the program as one file, beside this script; of several, the one that was written last.
$Wheel = Get-ChildItem -LiteralPath $PSScriptRoot -Filter 'wolkvox_case_importer-*.whl' |
    Sort-Object LastWriteTime | Select-Object -Last 1
if (-not $Wheel) { Stop-Here $Text.NoWheel }

# Which Python it is.
$Python = Find-Python
if (-not $Python) { Stop-Here $Text.NoPython }
Write-Host ($Text.With -f $Python)

# Get the libraries that the program needs, in the versions it was tried with (constraints.txt), and ready-made only, so
# that no compiler is needed. An earlier version of the program stays until they are all there. pip shows what it does.
Write-Host $Text.Download
$Downloads = Join-Path $env:TEMP 'case-importer-download'
$Pip = @('-I', '-m', 'pip', '--disable-pip-version-check')
$Versions = @('--constraint', (Join-Path $PSScriptRoot 'constraints.txt'), '--only-binary=:all:')
& $Python @Pip download --dest $Downloads @Versions $Wheel.FullName
if ($LASTEXITCODE -ne 0) { Stop-Here $Text.NoDownload }

# An earlier version goes, so that nothing of it is left; a page that is open keeps its files from going.
Remove-Program
New-Item -ItemType Directory -Path $Folder -Force | Out-Null

# An environment of its own: nothing of another program of Python is changed. -I: as above.
& $Python -I -m venv $Environment
if ($LASTEXITCODE -ne 0) { Stop-Here ($Text.InUse -f $Environment) }

# The program and its libraries, from what was downloaded, which is not needed any more then.
& (Join-Path $Environment 'Scripts\python.exe') @Pip install --no-warn-script-location --no-index --find-links $Downloads @Versions $Wheel.FullName
if ($LASTEXITCODE -ne 0) { Stop-Here $Text.NoDownload }
Remove-Item -LiteralPath $Downloads -Recurse -Force

# Does it start? Its answer is shown at the end.
$Answer = Invoke-Program $Program @('--version')
if ($LASTEXITCODE -ne 0) { Stop-Here $Text.NoDownload }

# What is needed later: the icon, and both files by which it can be removed.
foreach ($Name in @('case-importer.ico', 'install.ps1', 'Desinstalar.cmd')) {
    Copy-Item -LiteralPath (Join-Path $PSScriptRoot $Name) -Destination $Folder
}

# The shortcuts open the page. A sheet that is dropped on one becomes the word after the program's name, which opens it.
$Shell = New-Object -ComObject WScript.Shell
foreach ($Path in $Shortcuts) {
    $Shortcut = $Shell.CreateShortcut($Path)
    $Shortcut.TargetPath = $Page
    $Shortcut.WorkingDirectory = [Environment]::GetFolderPath('MyDocuments')
    $Shortcut.IconLocation = Join-Path $Folder 'case-importer.ico'
    $Shortcut.Save()
}

# Say what to do next.
Write-Host ($Text.Done -f $Answer) -ForegroundColor Green
