//! What answers look like: an amount of money, a time of day, a weekday, a duration, a telephone number.

use super::terms::words;

/// An amount of money ("R$ 12", "9,50", "€15") or the word that there is none to pay.
pub fn money(line: &str) -> bool {
    if line.contains(['$', '€', '£']) {
        return true;
    }
    let words = words(line);
    let free =
        ["gratis", "gratuito", "gratuita", "gratuitos", "gratuitas", "free", "included", "incluido", "incluida", "incluso", "inclusa"];
    let money = ["reais", "real", "euro", "euros", "eur", "usd", "dollars", "dolares", "pesos", "brl"];
    words.iter().any(|word| free.contains(&word.as_str()))
        || words.windows(2).any(|pair| number(&pair[0]) && money.contains(&pair[1].as_str()))
        || decimal(line)
}

fn number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

/// A number with exactly two decimals.
fn decimal(line: &str) -> bool {
    let bytes = line.as_bytes();
    (1..bytes.len()).any(|i| {
        matches!(bytes[i], b',' | b'.')
            && bytes[i - 1].is_ascii_digit()
            && bytes.get(i + 1).is_some_and(u8::is_ascii_digit)
            && bytes.get(i + 2).is_some_and(u8::is_ascii_digit)
            && !bytes
                .get(i + 3)
                .is_some_and(|b| b.is_ascii_digit() || matches!(b, b',' | b'.') && bytes.get(i + 4).is_some_and(u8::is_ascii_digit))
    })
}

/// A time of day ("7h30", "9:00", "6 pm", "24 horas"), or that it is closed.
pub fn time(line: &str) -> bool {
    let bytes = line.as_bytes();
    let clock = (1..bytes.len()).any(|i| {
        bytes[i] == b':'
            && bytes[i - 1].is_ascii_digit()
            && bytes.get(i + 1).is_some_and(u8::is_ascii_digit)
            && bytes.get(i + 2).is_some_and(u8::is_ascii_digit)
    });
    let words = words(line);
    clock
        || words
            .windows(2)
            .any(|pair| number(&pair[0]) && pair[0].len() <= 2 && matches!(pair[1].as_str(), "h" | "hs" | "hrs" | "am" | "pm"))
        || words.windows(2).any(|pair| pair[0] == "24" && matches!(pair[1].as_str(), "horas" | "hours" | "h"))
        || words.windows(3).any(|three| number(&three[0]) && ["a", "p"].contains(&three[1].as_str()) && three[2] == "m")
        || words.iter().any(|word| {
            [
                "closed",
                "fechado",
                "fechada",
                "fechados",
                "fechamos",
                "cerrado",
                "cerrados",
                "cerramos",
                "noon",
                "midnight",
                "mediodia",
                "medianoche",
            ]
            .contains(&word.as_str())
        })
}

/// "3 days", "48 horas", "two weeks".
pub fn duration(line: &str) -> bool {
    let units = [
        "day", "days", "dia", "dias", "hour", "hours", "hora", "horas", "minute", "minutes", "minuto", "minutos", "min", "mins", "week",
        "weeks", "semana", "semanas", "month", "months", "mes", "meses", "year", "years", "ano", "anos", "night", "nights", "noche",
        "noches", "noite", "noites", "h",
    ];
    let spelled = [
        "one", "two", "three", "four", "five", "six", "seven", "ten", "um", "uma", "dois", "duas", "tres", "quatro", "cinco", "sete",
        "dez", "un", "una", "dos", "cuatro", "seis", "siete", "diez", "uns", "unos", "same", "mesmo", "mismo", "lifetime",
    ];
    let words = words(line);
    let text = words.join(" ");
    let at_once = [
        "while you wait",
        "na hora",
        "en el acto",
        "al momento",
        "same day",
        "mesmo dia",
        "mismo dia",
        "immediately",
        "imediato",
        "inmediato",
    ];
    if at_once.iter().any(|phrase| text.contains(phrase)) {
        return true;
    }
    words.windows(3).any(|w| {
        let counts = |word: &str| number(word) || spelled.contains(&word);
        counts(&w[0]) && (units.contains(&w[1].as_str()) || units.contains(&w[2].as_str()))
    }) || words.windows(2).any(|w| (number(&w[0]) || spelled.contains(&w[0].as_str())) && units.contains(&w[1].as_str()))
}

/// A telephone number: eight digits or more with nothing but their usual company between them.
pub fn phone(line: &str) -> bool {
    let mut digits = 0;
    for c in line.chars() {
        if c.is_ascii_digit() {
            digits += 1;
            if digits >= 8 {
                return true;
            }
        } else if !matches!(c, ' ' | '-' | '(' | ')' | '+' | '.' | '/' | '\u{2011}' | '\u{a0}') {
            digits = 0;
        }
    }
    false
}

/// A moment: a time, a weekday, a duration or a date.
pub fn moment(line: &str) -> bool {
    time(line) || duration(line) || weekdays(&words(line)).iter().any(|day| *day)
}

const DAYS: [&[&str]; 7] = [
    &["monday", "mondays", "mon", "segunda", "segundas", "seg", "lunes", "lun"],
    &["tuesday", "tuesdays", "tue", "tues", "terca", "tercas", "ter", "martes", "mar"],
    &["wednesday", "wednesdays", "wed", "quarta", "quartas", "qua", "miercoles", "mie"],
    &["thursday", "thursdays", "thu", "thurs", "quinta", "quintas", "qui", "jueves", "jue"],
    &["friday", "fridays", "fri", "sexta", "sextas", "sex", "viernes", "vie"],
    &["saturday", "saturdays", "sat", "sabado", "sabados", "sab"],
    &["sunday", "sundays", "sun", "domingo", "domingos", "dom"],
];

/// Which day of the week a folded word names, Monday first.
pub fn weekday(word: &str) -> Option<usize> {
    DAYS.iter().position(|names| names.contains(&word))
}

/// Every name of a day of the week.
pub fn weekday_names() -> impl Iterator<Item = &'static str> {
    DAYS.iter().flat_map(|names| names.iter().copied())
}

/// The days that folded words speak of, ranges filled in ("segunda a sexta", "Mon–Fri", "todos os dias").
pub fn weekdays(words: &[String]) -> [bool; 7] {
    let mut days = [false; 7];
    let text = words.join(" ");
    if ["todos os dias", "todos los dias", "every day", "daily", "diariamente", "all week", "7 days", "24 7"]
        .iter()
        .any(|phrase| text.contains(phrase))
    {
        return [true; 7];
    }
    if ["dias uteis", "weekdays", "dias laborables", "entre semana"].iter().any(|phrase| text.contains(phrase)) {
        days[..5].fill(true);
    }
    let mut last: Option<(usize, usize)> = None;
    for (at, word) in words.iter().enumerate() {
        let Some(day) = weekday(word) else { continue };
        if let Some((before, first)) = last {
            // What stands between the two: "a", "to", "-feira a", nothing (a dash), but not "and".
            let between = &words[before + 1..at];
            let joins = ["a", "ate", "to", "al", "through", "thru", "till", "until", "hasta", "feira"];
            if between.len() <= 2 && between.iter().all(|word| joins.contains(&word.as_str())) {
                let mut next = first;
                while next != day {
                    days[next] = true;
                    next = (next + 1) % 7;
                }
            }
        }
        days[day] = true;
        last = Some((at, day));
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_times_and_durations_are_seen() {
        for line in ["R$ 29", "Pão francês . . . 18,90", "€15", "15 euros", "entrega grátis", "free of charge"] {
            assert!(money(line), "{line}");
        }
        for line in ["15 min", "18:30", "item 1.234", "12.10.2026"] {
            assert!(!money(line), "{line}");
        }
        for line in ["7h às 19h", "9:00", "6 pm", "Domingo: fechado", "6 p.m."] {
            assert!(time(line), "{line}");
        }
        assert!(!time("15 kg"));
        assert!(duration("com 48 horas de antecedência") && duration("two working days") && !duration("two wheels"));
        assert!(phone("(21) 99876-5432") && phone("+34 600 123 456") && !phone("12, 13, 14, 15, 16"));
    }

    #[test]
    fn ranges_of_days_are_filled_in() {
        let of = |text: &str| weekdays(&words(text));
        assert_eq!(of("segunda a sexta-feira"), [true, true, true, true, true, false, false]);
        assert_eq!(of("Segunda-feira a sábado"), [true, true, true, true, true, true, false]);
        assert_eq!(of("Tue–Sun 9:00"), [false, true, true, true, true, true, true]);
        assert_eq!(of("lunes y miércoles"), [true, false, true, false, false, false, false]);
        assert_eq!(of("todos os dias"), [true; 7]);
    }
}
