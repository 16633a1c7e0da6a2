# ruff: noqa: INP001, E501 -- used by a script, not a package; stories are on one line
"""The content of the samples: people, and cases of an internet and television company that does not exist."""

from __future__ import annotations

AGENTS = {
    "Laura Gómez": "LGOMEZ_@demo",
    "Andrés Rincón": "ARINCON_@demo",
    "Paola Cárdenas": "PCARDENAS_@demo",
    "Julián Ñustes": "JNUSTES_@demo",
}
NAMESAKES = (("Carlos Ruiz", "CRUIZ_@demo"), ("Carlos Ruiz", "CRUIZ2_@demo"))  # one name, two users

CUSTOMERS = {
    "María Fernanda Ossa": "mf.ossa@correo.example",
    "Ferretería El Tornillo": "compras@eltornillo.example",
    "Jorge Iván Peña": "jorge.pena@correo.example",
    "Sonia Quiñones": "soniaq@buzon.example",
    "Panadería La Espiga": "administracion@laespiga.example",
    "Héctor Bermúdez": "hbermudez@correo.example",
    "Clínica San Rafael": "sistemas@sanrafael.example",
    "Luz Dary Muñoz": "luzdary.m@buzon.example",
    "Colegio Los Andes": "rectoria@losandes.example",
    "Óscar Iriarte": "oscar.iriarte@correo.example",
    "Transportes Cóndor": "servicio@transcondor.example",
    "Beatriz Zuluaga": "bzuluaga@buzon.example",
}

# type, subject, description, how it was solved
STORIES = (
    ("Petición", "Traslado de servicio a nueva dirección", "Solicita trasladar internet y televisión al barrio Laureles antes de fin de mes.", "Traslado realizado por la cuadrilla norte; servicio probado con el cliente."),
    ("Petición", "Copia de factura", "Pide duplicado de la factura del último período para su contabilidad.", "Se envió la copia en PDF al correo registrado."),
    ("Petición", "Cambio de titular", "Requiere el cambio de titular del contrato; entrega carta y cédula.", "Documentos validados; contrato actualizado a nombre del nuevo titular."),
    ("Petición", "Aumento de velocidad", "Quiere pasar del plan de 100 a 300 megas.", "Plan cambiado desde el próximo corte; se informó el nuevo valor."),
    ("Petición", "Certificado de paz y salvo", "Necesita el paz y salvo para un trámite bancario.", "Certificado expedido y enviado."),
    ("Queja", "Demora en la atención telefónica", "Esperó más de 40 minutos en la línea y la llamada se cortó.", "Se ofrecieron disculpas y se devolvió la llamada el mismo día."),
    ("Queja", "El técnico no llegó a la cita", "La visita estaba programada para las 8:00 a. m. y nadie se presentó.", "Visita reprogramada y cumplida; se abonó un día de servicio."),
    ("Queja", "Trato inadecuado en la sede", "Informa que el asesor de la sede Centro fue descortés.", "Se habló con el asesor y se presentó disculpa escrita."),
    ("Queja", "Interrupciones constantes del internet", "El servicio se cae todas las noches entre las 7 y las 9.\nYa reinició el módem varias veces.", "Se cambió el conector de la acometida; sin caídas durante 72 horas."),
    ("Reclamo", "Cobro doble en la factura", "En la factura aparecen dos cargos por el mismo concepto; adjunta la factura.", "Se anuló el cargo repetido y se generó nota crédito."),
    ("Reclamo", "Cobro de equipo ya devuelto", "Le siguen cobrando el decodificador que devolvió; anexa el acta de entrega.", "Acta verificada; cargo retirado y saldo ajustado a favor."),
    ("Reclamo", "Descuento no aplicado", "La promoción «50 % por tres meses» no se ve en la segunda factura.", "Descuento aplicado de forma retroactiva."),
    ("Reclamo", "Daño en fachada durante la instalación", "La cuadrilla rompió una baldosa al pasar la fibra; envía foto.", "Reparación hecha por el contratista y recibida a satisfacción."),
    ("Sugerencia", "Pago con código QR en la sede", "Propone aceptar pagos con código QR para no hacer fila.", "Enviada al área de tesorería; se incluye en el plan del año."),
    ("Sugerencia", "Avisar los mantenimientos por mensaje", "Le gustaría recibir un mensaje antes de cada mantenimiento programado.", "Se activaron los avisos por mensaje de texto."),
)  # fmt: skip
CHANNELS = ("Teléfono", "Correo", "Sede", "Web", "Chat")
