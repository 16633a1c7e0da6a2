"""What a user would write without the importer: `python bench/user_script.py SOURCE SERVER TARGET`.

It checks nothing, remembers nothing, and creates every case again when it is started again.
"""

from __future__ import annotations

import sys

import pandas as pd
import requests

TYPES = {"Petición": "Request", "Queja": "Complaints", "Reclamo": "Claims", "Sugerencia": "Suggestions"}

source, server, target = sys.argv[1:]
frame = pd.read_excel(source, engine="calamine", keep_default_na=False)
ids = []
for _, row in frame.iterrows():
    case = {
        "operation": "bench",
        "case-type": TYPES[row["Tipo"]],
        "responsible": "ADMIN_@bench",
        "owner": row["Agente"],
        "contact": row["Correo"],
        "description": f"{row['Asunto']}\n\n{row['Descripción']}",
        "status": row["Estado"],
        "priority": row["Prioridad"],
        "solution": row["Solución"],
        "form": {"Fecha apertura": str(row["Apertura"])[:10], "Canal": row["Canal"], "Horas": row["Horas"]},
        "attachments": [],
    }
    answer = requests.post(
        f"{server}/server/API/v2/cases/insertAttach.php", json=case, headers={"Wolkvox-Token": "bench"}, timeout=60
    )
    ids.append(answer.json()["data"]["wolkvox_id"])
frame["wolkvox_id"] = ids
frame.to_excel(target, index=False)
