//! Understanding a customer as far as a clerk must: the language, small talk, asking for a person, one question or several.

use std::collections::HashSet;
use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::phrases::{Language, OFFER};

/// The most questions of one message that are looked up.
const QUESTIONS: usize = 4;
/// The longest question, in characters.
const LONGEST: usize = 500;

/// Lower case, without accents.
pub fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// The folded words of a text.
pub fn words(text: &str) -> Vec<String> {
    fold(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The commonest words of customers, by language.
const PORTUGUESE: &str = "voce voces vc vcs nao sim ola oi tem tens temos qual quais quanto quanta onde obrigado obrigada por favor tudo bem bom boa dia tarde noite uma um os as dos das no na nos nas em com sem
    sao esta estao gostaria queria quero posso pode fazem faz vendem aceitam aceita abre abrem fecha fecham aos pelo pela ate hoje amanha preco custa custam entrega entregam horario pao bolo ainda tambem meu minha eu
    ai aqui isso esse essa tchau valeu obg pra pro quando horas cartao pix domingo sabado segunda feira tenho preciso fica voces moco moca e ou da do que moca qto sexta quarta quinta bicicleta conserto atendente pessoa falar";
const SPANISH: &str = "si pasa me como usted ustedes hola tienen tiene tenéis hay cual cuales cuanto cuanta cuesta cuestan donde gracias por favor buenas buenos dias tardes noches una un los las del el la en con sin y
    son esta estan quisiera quiero puedo puede pueden hacen venden aceptan acepta abren cierran abre cierra hasta hoy manana precio envio tambien mi yo aqui eso ese esa adios vale para cuando hora horas tarjeta
    domingo sabado lunes martes miercoles jueves viernes necesito queda estoy soy quien al les nos muy mas pero que habitacion desayuno cita seguro persona hablar a efectivo aparcamiento mascotas perro ya";
const ENGLISH: &str = "the an is are does did you your have has how much many what when where who can could would i my me we our hi hello hey thanks thank please good morning afternoon evening and or of to for with
    on in at open close price cost deliver delivery bike today tomorrow yes no not any there if it this that bye ok u get need want it's what's don't from by about will sell fix repair person someone speak talk human";

/// The language of `text`, if its words give one away.
pub fn language(text: &str) -> Option<Language> {
    let words = words(text);
    let lower = text.to_lowercase();
    static LISTS: OnceLock<[HashSet<String>; 3]> = OnceLock::new();
    let lists = LISTS.get_or_init(|| [PORTUGUESE, SPANISH, ENGLISH].map(|list| list.split_whitespace().map(fold).collect()));
    // A word of two languages gives none away.
    let own = |word: &String, which: usize| lists.iter().enumerate().all(|(at, list)| list.contains(word) == (at == which));
    let count = |which: usize| i32::try_from(words.iter().filter(|word| own(word, which)).count()).unwrap_or(i32::MAX / 4) * 2;
    let signs = |signs: &[char]| if lower.contains(signs) { 3 } else { 0 };
    let scores = [
        (Language::Portuguese, count(0) + signs(&['ã', 'õ', 'ç', 'ê', 'ô', 'à'])),
        (Language::Spanish, count(1) + signs(&['ñ', '¿', '¡'])),
        (Language::English, count(2)),
    ];
    let best = scores.iter().max_by_key(|(_, score)| *score)?;
    let second = scores.iter().filter(|(language, _)| *language != best.0).map(|(_, score)| *score).max().unwrap_or(0);
    (best.1 > second).then_some(best.0)
}

/// Small talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmallTalk {
    /// Hello.
    Greeting,
    /// Thank you.
    Thanks,
    /// Good-bye.
    Farewell,
    /// All right.
    Agreement,
    /// No, thank you.
    Refusal,
}

const GREETINGS: &str = "oi oie ola opa eai alo hi hello hey hiya yo hola buenas buenos bom boa dia dias tarde tardes noite noches good morning afternoon evening day tudo bem beleza joia como vai esta voce voces
    how are you doing que tal estas estan there e ai gente pessoal moco moca amigo amiga amigos all everyone";
const THANKS: &str = "obrigado obrigada obg brigado brigada valeu vlw thanks thank thx ty cheers gracias muchas muito muitas mil grato grata agradeco agradecido agradecida appreciated you so much very a lot pela pelo por la
    ajuda help ayuda atencao atencion tudo todo perfeito perfecto perfect great otimo genial excelente awesome again de novo for that your the info informacao informacion";
const FAREWELLS: &str = "tchau ate logo mais bye goodbye adios hasta luego pronto breve see you later good night boa noite bom dia fim de semana nice have a day abraco abracos abs flw falou chao chau ciao then take care only that's all era so isso";
const AGREEMENTS: &str = "sim s ss claro quero pode ser por favor isso yes yeah yep yup sure ok okay okey please pls si dale vale bueno de acuerdo beleza blz certo quiero perfecto otimo great go ahead uhum aham 1 do it eu gostaria i would like that to";
const REFUSALS: &str = "nao n no nope nah deixa depois obrigado obrigada gracias thanks thank you precisa not now quero quiero agora ahora dejalo por enquanto es necesario need i'm good im fine";

/// What kind of small talk `text` is, when it is nothing else.
pub fn small_talk(text: &str) -> Option<SmallTalk> {
    let words = words(text);
    if words.is_empty() || words.len() > 9 {
        return None;
    }
    let all = |list: &str, core: &[&str]| {
        let list: HashSet<&str> = list.split(|c: char| !c.is_alphanumeric()).collect();
        words.iter().all(|word| list.contains(word.as_str())) && words.iter().any(|word| core.contains(&word.as_str()))
    };
    let thanks = ["obrigado", "obrigada", "obg", "brigado", "brigada", "valeu", "vlw", "thanks", "thank", "thx", "ty", "cheers", "gracias", "grato", "grata", "agradeco", "agradecido", "agradecida", "perfeito", "perfecto", "perfect", "otimo", "great", "genial", "excelente", "awesome"];
    if all(REFUSALS, &["nao", "no", "nope", "nah", "n", "deixa", "dejalo", "not"]) {
        return Some(SmallTalk::Refusal);
    }
    if all(THANKS, &thanks) {
        return Some(SmallTalk::Thanks);
    }
    if all(AGREEMENTS, &["sim", "s", "ss", "claro", "quero", "pode", "isso", "yes", "yeah", "yep", "yup", "sure", "ok", "okay", "okey", "please", "si", "dale", "vale", "bueno", "acuerdo", "beleza", "blz", "certo", "quiero", "1", "uhum", "aham", "favor"]) {
        return Some(SmallTalk::Agreement);
    }
    if all(GREETINGS, &["oi", "oie", "ola", "opa", "eai", "alo", "hi", "hello", "hey", "hiya", "yo", "hola", "buenas", "buenos", "bom", "boa", "good", "tudo", "tal", "how", "beleza", "e"]) {
        return Some(SmallTalk::Greeting);
    }
    let farewells = format!("{FAREWELLS} {THANKS} {GREETINGS}");
    all(&farewells, &["tchau", "ate", "bye", "goodbye", "adios", "hasta", "later", "flw", "falou", "chao", "chau", "ciao", "abraco", "abs", "care", "night"]).then_some(SmallTalk::Farewell).or_else(|| {
        let mixed = format!("{GREETINGS} {THANKS}");
        all(&mixed, &thanks).then_some(SmallTalk::Thanks)
    })
}

fn holds(words: &[String], phrase: &str) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    words.windows(phrase.len()).any(|window| window.iter().zip(&phrase).all(|(word, asked)| word == asked))
}

/// Whether the customer asks for a person.
pub fn wants_person(text: &str) -> bool {
    let words = words(text);
    if words.is_empty() || is_asking_what_we_are(text) {
        return false;
    }
    if fold(text).trim() == "person" || OFFER.iter().any(|label| fold(text).trim() == fold(label)) {
        return true;
    }
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let someone = any(&[
        "human", "humano", "humana", "atendente", "atendentes", "agent", "agente", "operador", "operator", "operadora", "representative", "asesor", "asesora", "gerente", "manager", "owner", "dono", "dona", "dueno",
        "duena", "encargado", "encargada", "responsavel", "responsable", "person", "pessoa", "persona", "someone", "somebody", "alguem", "alguien", "staff", "recepcionista", "recepcion", "recepcao", "receptionist", "vendedor", "vendedora", "supervisor", "funcionario",
    ]);
    let contact = any(&[
        "falar", "fala", "falo", "conversar", "hablar", "habla", "hablo", "talk", "speak", "chat", "chama", "chamar", "chame", "llamar", "llame", "call", "quero", "quiero", "queria", "quisiera", "want", "need", "preciso", "necesito", "connect",
        "transfer", "transferir", "transfere", "pasame", "passa", "passar", "comunicar", "comuniqueme", "contactar", "get", "ponme", "pon", "me", "please", "favor", "real",
    ]);
    let speaking = any(&["falar", "falo", "conversar", "hablar", "hablo", "talk", "speak", "chama", "chamar", "transfer", "transferir", "transfere", "pasame", "comunicar", "contactar", "connect"]);
    let clearly_human = any(&["human", "humano", "humana", "atendente"]);
    someone && (speaking || (clearly_human && (contact || words.len() <= 4)) || (words.len() <= 4 && contact && !text.contains('?')) || holds(&words, "pessoa de verdade") || holds(&words, "real person") || holds(&words, "persona real"))
}

/// Whether the customer asks what they are talking to.
pub fn is_asking_what_we_are(text: &str) -> bool {
    let words = words(text);
    let being = ["robo", "robot", "bot", "human", "humano", "humana", "pessoa", "person", "persona", "ia", "ai", "maquina", "machine", "real"];
    words.len() <= 10
        && words.iter().any(|word| being.contains(&word.as_str()))
        && ["are you", "r u", "voce e", "vc e", "tu es", "eres", "is this", "isso e", "estou falando com", "am i talking", "am i speaking", "estoy hablando con", "e um robo", "es un robot", "e robo"].iter().any(|phrase| holds(&words, phrase))
}

/// One thing that is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// In the customer's words, without the greeting around it.
    pub text: String,
    /// Whether it had a question mark.
    pub marked: bool,
}

/// The questions in what was said. Sentences that ask count before those that tell; small talk counts not at all.
pub fn questions(said: &[&str]) -> Vec<Question> {
    let mut all: Vec<Question> = Vec::new();
    for text in said {
        for (sentence, marked) in sentences(text) {
            let sentence = without_signs(&sentence);
            if sentence.is_empty() || small_talk(&sentence).is_some() {
                continue;
            }
            let marked = marked || opens_a_question(&sentence);
            all.push(Question { text: sentence.chars().take(LONGEST).collect(), marked });
        }
    }
    let marked: Vec<Question> = all.iter().filter(|question| question.marked).cloned().collect();
    if !marked.is_empty() {
        return marked.into_iter().take(QUESTIONS).collect();
    }
    if all.len() <= 1 {
        return all;
    }
    // Told in pieces: the whole first, then each piece.
    let whole: String = all.iter().map(|question| question.text.as_str()).collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect();
    std::iter::once(Question { text: whole, marked: true }).chain(all).take(QUESTIONS).collect()
}

/// Whether a sentence asks without a question mark, as many write.
fn opens_a_question(sentence: &str) -> bool {
    const OPENINGS: [&str; 28] = [
        "quanto", "quanta", "quantos", "quantas", "qual", "quais", "onde", "quando", "qto", "cuanto", "cuanta", "cuantos", "cuantas", "cual", "cuales", "donde", "cuando", "how", "what",
        "whats", "where", "when", "which", "who", "do", "does", "can", "is",
    ];
    words(sentence).first().is_some_and(|word| OPENINGS.contains(&word.as_str()))
}

/// Sentences with whether each ended in a question mark.
fn sentences(text: &str) -> Vec<(String, bool)> {
    let mut out = Vec::new();
    let mut sentence = String::new();
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let ends = match c {
            '?' | '\n' | '¿' => true,
            '.' | '!' | '…' => characters.peek().is_none_or(|next| next.is_whitespace() || matches!(next, '.' | '!' | '?')),
            _ => false,
        };
        if ends {
            out.push((std::mem::take(&mut sentence), c == '?'));
        } else {
            sentence.push(c);
        }
    }
    out.push((sentence, false));
    out
}

/// Without `[photo]` and its like, and without what stands around words.
fn without_signs(sentence: &str) -> String {
    let mut text = sentence.trim();
    while let Some(rest) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        text = rest.1.trim();
    }
    text.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '$' | '€' | '£' | '%' | ')' | '(')).trim().to_owned()
}

/// Whether a question goes on from the one before ("e no domingo?").
pub fn goes_on(question: &str) -> bool {
    let words = words(question);
    let opens = |openings: &[&str]| openings.iter().any(|opening| words.iter().zip(opening.split(' ')).filter(|(word, asked)| word.as_str() == *asked).count() == opening.split(' ').count());
    words.len() <= 3 || (words.len() <= 7 && opens(&["e", "and", "y", "what about", "how about", "mas e", "but", "pero", "mas", "or", "ou", "o", "tambem", "also", "tambien"]))
}

/// Everything that was said but small talk, as one question.
pub fn whole(said: &[&str]) -> Option<String> {
    let parts: Vec<String> = said
        .iter()
        .flat_map(|text| sentences(text))
        .map(|(sentence, _)| without_signs(&sentence))
        .filter(|sentence| !sentence.is_empty() && small_talk(sentence).is_none())
        .collect();
    (parts.len() > 1).then(|| parts.join(" ").chars().take(LONGEST).collect())
}

/// What is asked after the last comma ("my wheel wobbles, what does truing cost"): people tell first and ask then.
pub fn last_clause(question: &str) -> Option<String> {
    let clause = question.rsplit_once(", ").map(|(_, clause)| clause.trim())?;
    (words(clause).len() >= 2).then(|| clause.to_owned())
}

/// Whether a list is asked for ("quais bolos vocês têm?").
pub fn asks_for_list(question: &str) -> bool {
    let words = words(question);
    words.iter().any(|word| ["quais", "cuales", "list", "lista", "menu", "cardapio", "catalogo", "carta", "tipos", "kinds", "types", "sabores", "flavours", "flavors", "options", "opcoes", "opciones"].contains(&word.as_str()))
        || holds(&words, "what do you")
        || (words.first().is_some_and(|word| word == "what" || word == "which") && words.iter().any(|word| word == "have" || word == "sell" || word == "offer"))
        || (holds(&words, "que") && words.iter().any(|word| ["tem", "tienen", "hay", "vendem", "venden", "ofrecen", "servicios", "servicos"].contains(&word.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_apart() {
        for (text, expected) in [
            ("vcs abrem domingo?", Some(Language::Portuguese)),
            ("Quanto custa o bolo", Some(Language::Portuguese)),
            ("¿cuánto cuesta?", Some(Language::Spanish)),
            ("hola, tienen parking", Some(Language::Spanish)),
            ("how much is a flat repair", Some(Language::English)),
            ("do u have helmets", Some(Language::English)),
            ("12345", None),
            ("", None),
        ] {
            assert_eq!(language(text), expected, "{text}");
        }
    }

    #[test]
    fn small_talk_is_nothing_else() {
        for (text, expected) in [
            ("Oi, tudo bem?", Some(SmallTalk::Greeting)),
            ("bom dia!", Some(SmallTalk::Greeting)),
            ("Hello there", Some(SmallTalk::Greeting)),
            ("muchas gracias", Some(SmallTalk::Thanks)),
            ("thank you so much!", Some(SmallTalk::Thanks)),
            ("tchau, obrigada", Some(SmallTalk::Farewell)),
            ("sim, por favor", Some(SmallTalk::Agreement)),
            ("não, obrigado", Some(SmallTalk::Refusal)),
            ("bom dia, tem pão?", None),
            ("quanto custa", None),
        ] {
            assert_eq!(small_talk(text), expected, "{text}");
        }
    }

    #[test]
    fn asking_for_a_person_is_understood() {
        for text in [
            "quero falar com atendente", "human please", "Falar com uma pessoa", "person", "can I talk to someone?", "quiero hablar con una persona", "atendente", "me passa pra um humano por favor",
            "I need to speak to the manager", "falar com alguém", "necesito hablar con alguien real",
        ] {
            assert!(wants_person(text), "{text}");
        }
        for text in ["are you a real person?", "quanto custa por pessoa?", "price per person", "bolo para 20 pessoas", "vc é um robô?", "cuánto cuesta por persona?"] {
            assert!(!wants_person(text), "{text}");
        }
        assert!(is_asking_what_we_are("você é um robô?") && is_asking_what_we_are("are you human") && !is_asking_what_we_are("preço por pessoa"));
    }

    #[test]
    fn questions_are_parted() {
        let texts = |said: &[&str]| questions(said).into_iter().map(|question| question.text).collect::<Vec<_>>();
        assert_eq!(texts(&["Oi! Tudo bem? Qual o endereço? E aceitam pix?"]), ["Qual o endereço", "E aceitam pix"]);
        assert_eq!(texts(&["oi", "quanto custa o bolo de R$ 4.50"]), ["quanto custa o bolo de R$ 4.50"]);
        assert_eq!(texts(&["abre domingo", "aceita pix"]), ["abre domingo aceita pix", "abre domingo", "aceita pix"]);
        assert_eq!(texts(&["[image foto.jpg]"]), Vec::<String>::new());
    }
}
