"""How likely a character beyond ASCII is at its place in Spanish, Portuguese and English texts.

Encodings differ in which letter or sign a byte is. In the right one, accented letters have neighbours as in words,
capitals are among capitals, quotation marks are at the ends of words, dashes between spaces.
"""

# ruff: noqa: RUF001, RUF003 - signs that look like others are what this is about

from __future__ import annotations

import re
from functools import lru_cache

LETTERS = frozenset("áéíóúüñçàâãêôõÁÉÍÓÚÜÑÇÀÂÃÊÔÕ")

# Common words; from them it is learned which letters an accented letter has beside it.
_WORDS = frozenset(
    """
    acción gestión atención información solución petición número días día más está están también así aquí allí ahí
    qué cuál cómo cuándo dónde quién él sí mí tú té dé sé según después además página código teléfono teléfonos
    dirección línea crédito débito período vehículo artículo último última única único público técnico técnica
    médico médica electrónico cédula clínica físico física dólar fácil difícil útil móvil azúcar árbol área águila
    álvaro ángel ángela éxito época índice íntegro óscar órdenes órgano óptimo úrsula año años señor señora niño
    niña mañana pequeño español compañía daño daños diseño contraseña montaña baño caña peña ñandú cigüeña bilingüe
    vergüenza pingüino agüero josé maría lópez pérez gonzález rodríguez martínez hernández garcía jiménez sánchez
    gómez ramírez andrés inés jesús mónica sofía raúl germán iván julián sebastián bogotá medellín cúcuta ibagué
    popayán quindío córdoba perú méxico panamá envío envíos había tenía podría sería recibí pagué llamé envié
    reclamé solicité café bebé inglés francés interés través revés país raíz maíz baúl aún ningún algún común camión
    avión unión opinión reunión versión mejoró llegó pidió cambió cayó dañó quedó pasó llamó necesitó será estará
    dará irá podrá enviará recibirá pagará válido inválido máximo mínimo rápido sábado miércoles próximo próxima
    teórico crítico lógico análisis énfasis tráfico trámite trámites depósito propósito tránsito víctima síntoma
    cámara lámpara pérdida búsqueda música túnel fútbol não são então mão mãe irmã irmão manhã amanhã maçã pão cão
    ação atenção informação solução reclamação situação ligação opções questões milhões razões edições põe você
    vocês três mês até pé é à às ó já lá estão português inglês serviço serviços preço endereço março começo cabeça
    força justiça bênção ônibus avô avó também porém além alguém ninguém usuário usuária necessário horário salário
    diário início comércio negócio prêmio câmera câmbio lâmpada âmbito ânimo cônjuge econômico eletrônico telefônica
    antônio joão conceição gonçalves araújo luís lúcia márcia tânia água língua saída saúde distribuída conteúdo
    possível impossível disponível responsável nível móvel automóvel análise pública árvore ótimo ópera pôde pôr têm
    vêm lê vê crê através francês avançado almoço açúcar caça roça laço ouça peça peço faço façam çao ções ção ões
    ães ãos ãs república áfrica américa ásia áustria bélgica suécia colômbia bolívia países símbolo símbolos chinês
    japonês holandês israelí marroquí colibrí aéreo óleo áudio áspero ácido ágil ético íman íntimo átomo últimas
    húmedo húngaro republicano búho dúo río frío tío lío grúa púa continúa actúa policía librería batería garantía
    categoría asiático didáctico práctico automático climático errático dramático cálculo vínculo título fórmula
    módulo cómodo bóveda póliza pólizas móviles cóndor sólo sólido tóxico bósforo nórdico sueño dueño cariño otoño
    tamaño engaño llegué busqué toqué jugué hablé compré entregué firmé intenté necesité consulté cancelé quedé dejé
    muñoz núñez ibáñez ordóñez zúñiga acuña quiñones castañeda nariño patiño cuñado puño uña argüello díaz suárez
    álvarez vásquez velásquez chávez fernández domínguez benítez méndez márquez vélez cárdenas cáceres cortés
    guzmán durán marín mejía rincón tobón valdés sáenz ávila león víctor rubén tomás moisés íñigo pinzón solís
    ñañez ñuble ñoño tuluá zipaquirá facatativá fusagasugá cajicá turbaná mitú maipú menú bambú paraná canadá quizá
    ojalá acá mamá papá sofá potosí valparaíso inírida apurímac chía itagüí querétaro yucatán michoacán tucumán
    neuquén asunción itauguá piauí maringá amapá macapá ceará pará maceió belém goiânia cuiabá jundiaí guarujá
    mandé marqué résumé naïve façade fiancé cliché touché déjà vis-à-vis jalapeño piñata
    """.split()  # noqa: SIM905 - as a list it would take ten times the lines
)
_EDGE = " "
_AROUND_WORDS = frozenset("\"';,|:.!?-/¿¡“”‘’«»…()[]*")
_SIDES = frozenset(pair for word in _WORDS for pair in map("".join, zip(_EDGE + word, word + _EDGE, strict=True)))

# By sign, its points where this is before and after it: a letter, 0 a digit, . another sign, " " an edge of the text.
_SIGNS: dict[str, tuple[tuple[str, float], ...]] = {
    "“‘«„": ((r"[ .][a0.]", 2),),
    "¿¡": ((r"[ .][a0.]", 2.5),),
    "”": ((r"[a0.][ .]", 2),),
    "»": ((r"[a.][ .]", 1.5), (r"0[ .]", 0.3)),
    "’": (("[ODLodl]a", 1), (r"[a0.][ .]", 2), ("[a0.][stdmrlvSTDMRLV]", 2), (r"aa", 0.2), (r" [a0]", 0.5)),
    "–—": ((r"  ", 2), ("00", 2), (r"[ .][a0]", 1.5), (r"[a0.][ .]", 1), ("[a0.][a0.]", 0.5)),
    "…": ((r"[a0.][ .]", 1.9), (r" [a0]", 1), ("aa", 0.3), ("  ", 0.6)),
    "°": (("0[ .a]", 2), (" [CF]", 2), (r"[nNrR][ .0]", 2), (r"[.][ .0]", 2), (r"a[ .0]", 1), ("  ", 0.5), (" a", 0.5)),
    "ºª": (
        ("0[ .a]", 2),
        (" [CF]", 1),
        (r"[nNmM][ .0]", 2),
        (r"[.][ .0]", 2),
        (r"a[ .0]", 0.3),
        ("  ", 0.5),
        (" a", 0.3),
    ),
    "€£¢¥": ((r"[ .a]0", 2), (r"0[ .a]", 2), ("  ", 1), (r"[ .][ .]", 0.8)),
    "™®": ((r"[a0.][ .]", 2), (r"[ .][ 0a]", 0.8)),
    "©": ((r"[ .][ 0a]", 2), (r"a[ .]", 0.5)),
    "·•": (("  ", 2), (r" [a0]", 1.5), (r"[a0] ", 0.5)),
    "\u00a0": ((r"00", 1.5), (r"[a0.] ", 1.3), (r"[0.][a0]", 1.2), (r"[a0. ][a0. ]", 1)),
    "´`": ((r"a[a ]", 0.5), (r"[ .]a", 0.3)),
    "½¼¾": ((r"[ 0][ .]", 1.2),),
    "×÷±": ((r"[ 0]0", 1), ("  ", 1)),
    "²³": ((r"a[ .]", 1.2),),
    "µ": ((r"[ 0.][mgslLFAVHW]", 2), (r"[ .][0 ]", 0.2)),
    "§¨†‡‰‹›‚¬¦": ((r"[ .][0 ]", 0.2),),
}
_POINTS = {sign: rules for signs, rules in _SIGNS.items() for sign in signs}
_FITTING = (0.0, 0.6, 2.0)  # points of a letter by how many of its two sides are known
_UNLIKELY, _CAPITAL_WITHIN_WORD, _LETTER_BESIDE_DIGIT = -1.5, -2.0, -1.0

# What is in no text, and what a wrong encoding makes of degrees (25 °C, N° 5), apostrophes in names (O’NEILL), a euro
# sign (20 €) and Á (Ámbar). The rare character is first, to be quick.
_NOWHERE = re.compile(
    r"¡(?=[b-df-hj-np-tv-xzB-DF-HJ-NP-TV-XZ](?!\w))"
    r"|í(?<![^\W\d_]í)(?=[CF](?!\w))"
    r"|[í¡](?:(?<=\bN.)(?!\w)|(?<=\bn.)(?= ?\d))"
    r"|Õ(?<=\b[ODL]Õ)(?=[A-Z])"
    r"|§(?<=\d §)(?! ?\w)"
    r"|µ(?=\w\w)(?!µmol)"
)
_NOWHERE_POINTS = -3.0


@lru_cache(maxsize=1 << 14)
def points(character: str, before: str, after: str) -> float:
    """Return how well a character fits between its neighbours, from 2 (as in words) to below 0 (nobody writes this)."""
    if character.isalpha() and character not in _POINTS:
        small = character.lower()
        if before.isdigit() or after.isdigit():
            return _LETTER_BESIDE_DIGIT
        if _side(before) == _side(after) == _EDGE and small not in _WORDS:
            return -0.5
        sides = _FITTING[(_side(before) + small in _SIDES) + (small + _side(after) in _SIDES)]
        if character not in LETTERS:
            sides -= 1
        if before.islower() and (character != small or after.isupper()):
            return _CAPITAL_WITHIN_WORD
        # some programs raise all letters but the accented ones
        return sides - 1 if character == small and before.isupper() and after.isupper() else sides
    if character in _POINTS:
        places = {_class(before) + _class(after), _class(before) + after, before + _class(after)}
        return next((worth for rule, worth in _POINTS[character] if any(re.fullmatch(rule, p) for p in places)), -1.0)
    return _UNLIKELY


def likelihood(text: str) -> float:
    """Return the points of all characters beyond ASCII, with one more for each common word."""
    found = sum(points(*place) for place in _PLACE.findall(f" {text} "))
    for word in _ACCENTED_WORD.findall(text):
        found += len(word) > 1 and word.lower() in _WORDS
        found -= 2 * (word[:2].isupper() and word[2:3].islower() and not word[0].isascii())  # ÁUrgente
    return found + _NOWHERE_POINTS * len(_NOWHERE.findall(text))


def is_unlikely(text: str) -> bool:
    """Return whether the text has a character that nobody writes at its place."""
    return any(points(*place) < 0 for place in set(_PLACE.findall(f" {text} "))) or bool(_NOWHERE.search(text))


_PLACE = re.compile(r"([^\x00-\x7f])(?<=([\s\S])[\s\S])(?=([\s\S]))")  # the rare character first, to be quick
_ACCENTED_WORD = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*")


def _side(neighbour: str) -> str:
    if neighbour.isspace() or neighbour in _AROUND_WORDS:
        return _EDGE
    return neighbour.lower()


def _class(neighbour: str) -> str:
    if neighbour.isspace() or neighbour in '";,|\t':
        return " "
    if neighbour.isalpha():
        return "a"
    return "0" if neighbour.isdigit() else "."
