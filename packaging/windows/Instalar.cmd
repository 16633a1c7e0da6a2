@echo off
rem Double-click this file to install case-importer for this user of Windows; install.ps1 says how, line by line.
rem The next line names the window.
title case-importer
rem Windows opens a ZIP file like a folder, but starts only this file from it: then the script is not there.
if not exist "%~dp0install.ps1" goto unpack
rem A folder in which a window is open cannot be removed, so this one goes elsewhere.
cd /d "%SystemRoot%"
rem -NoProfile: without what this user's own PowerShell loads. -ExecutionPolicy Bypass: most computers refuse scripts;
rem this allows this script, this once, and changes no setting. %~dp0 is the folder of this file.
rem The window stays open until a key is pressed, so that its last lines can be read. All of it is in brackets, which
rem Windows reads at once: this file itself may be gone afterwards.
(
    "%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -ExecutionPolicy Bypass -File "%~dp0install.ps1"
    if errorlevel 1 (pause & exit /b 1)
    pause
    exit /b 0
)

:unpack
rem In Spanish, Portuguese and English, without accents: this window may show them wrong.
echo Primero extraiga el archivo ZIP: clic derecho, Extraer todo. Despues abra Instalar.cmd en la carpeta extraida.
echo Primeiro extraia o arquivo ZIP: clique direito, Extrair tudo. Depois abra Instalar.cmd na pasta extraida.
echo Unpack the ZIP file first: right click, Extract all. Then open Instalar.cmd in the unpacked folder.
pause
exit /b 1
