"""The purposes that the AI Act bans, in the words of seven languages."""

import pytest

from edge_fer.purposes import forbidden


@pytest.mark.parametrize(
    "purpose",
    [
        "workplace", "education", "my School", "staff mood", "employees", "at work", "university",
        "Arbeitsplatz", "Mitarbeiter beobachten", "im Büro", "Schule", "Unterricht", "Grundschüler",
        "au travail", "nos employés", "école primaire", "élèves", "enseignement",
        "en el trabajo", "empleados", "escuela", "educación", "alumnos",
        "sul lavoro", "dipendenti", "ufficio", "scuola", "istruzione",
        "werkplek", "medewerkers", "kantoor", "onderwijs", "leerlingen",
        "miejsce pracy", "pracownicy", "biuro", "szkoła", "uczniowie", "edukacja",
    ],
)  # fmt: skip
def test_work_and_education_are_forbidden_in_seven_languages(purpose: str) -> None:
    assert forbidden(purpose)


@pytest.mark.parametrize(
    "purpose",
    [
        "medical", "safety", "workplace safety", "Arbeitssicherheit und Sicherheit",
        "medizinisch, in der Schule", "sécurité au travail", "seguridad en el trabajo",
        "sicurezza sul lavoro", "veiligheid op de werkplek", "bezpieczeństwo pracowników",
    ],
)  # fmt: skip
def test_medical_and_safety_reasons_are_excepted(purpose: str) -> None:
    assert not forbidden(purpose)


@pytest.mark.parametrize(
    "purpose",
    [
        "art", "art exhibition", "networking", "Kunstwerk im Museum", "klassisches Konzert",
        "exposition d'art", "casa", "gioco", "thuis", "zabawa", "workshop of a painter", "",
    ],
)  # fmt: skip
def test_other_uses_are_let_through(purpose: str) -> None:
    assert not forbidden(purpose)
