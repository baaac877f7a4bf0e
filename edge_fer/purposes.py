"""Which stated purposes the EU AI Act lets us serve: read by their words, in seven languages.

A list of words cannot judge a use; it stops the plain cases and says why. The duty to state the
truth stays with whoever states it.
"""

from __future__ import annotations

import re
import unicodedata

STEMS = {
    "work": (
        *("workplace", "worker", "employe", "employment", "personnel"),
        *("arbeit", "mitarbeit", "beruf", "betriebsrat", "belegschaft", "angestellt", "buro"),
        *("travail", "emploi", "salarie", "bureau"),
        *("trabaj", "empleo", "emplead", "oficina", "laboral"),
        *("lavoro", "lavorat", "dipendent", "impiegat", "ufficio"),
        *("werkplek", "werknemer", "werkvloer", "werkgever", "medewerker", "personeel", "kantoor"),
        *("praca", "pracy", "pracownik", "pracownic", "pracodawc", "zatrudn", "biuro", "biurow"),
    ),
    "education": (
        *("educat", "school", "classroom", "universit", "student", "pupil", "teach"),
        *("schul", "schuler", "unterricht", "bildung", "ausbildung", "klassenzimmer", "studier"),
        *("hochschul", "vorschul", "grundschul", "berufsschul", "lehrling", "horsaal"),
        *("ecole", "ecolier", "eleve", "etudiant", "enseign", "scolaire", "lycee", "collegien"),
        *("escuela", "escolar", "colegio", "alumn", "estudiant", "ensenanza", "educa", "docente"),
        *("universidad", "scuola", "scolastic", "alunn", "student", "istruzion", "insegnam"),
        *("onderwijs", "leerling", "opleiding", "klaslokaal", "leraar", "scholier"),
        *("szkol", "uczen", "uczni", "edukac", "uniwersytet", "nauczan", "nauczyciel"),
    ),
}
"""Beginnings of words, without accents and in lower case: English, German, French, Spanish,
Italian, Dutch and Polish, in about that order."""
WORDS = {"work", "staff", "office", "job", "jobs", "hr", "werk", "aula", "klas", "classe", "clase"}
"""Whole words: their beginnings would also catch a workshop or a classic concert."""
EXEMPT = (
    *("medic", "medizin", "medisch", "medyczn", "lekarsk", "arztlich"),
    *("safety", "sicherheit", "securite", "seguridad", "sicurezza", "veiligheid", "bezpiecz"),
)
"""Beginnings of the two reasons that the same article excepts: medical and safety."""
PLAIN = str.maketrans({"ł": "l", "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe"})
"""Letters that have no accent to take away."""


def forbidden(purpose: str) -> bool:
    """True for a use at work or in education that states no medical or safety reason.

    EU AI Act, Art. 5(1)(f): inferring emotions there is banned, those two reasons excepted.
    """
    words = _words(purpose)
    if any(word.startswith(EXEMPT) for word in words):
        return False
    banned = tuple(stem for stems in STEMS.values() for stem in stems)
    return any(word in WORDS or word.startswith(banned) for word in words)


def _words(text: str) -> list[str]:
    """Words in lower case, accents taken off."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(PLAIN))
    return re.findall(r"[a-z]+", "".join(c for c in plain if not unicodedata.combining(c)))
