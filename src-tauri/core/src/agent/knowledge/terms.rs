//! From writing to terms: accents and case folded, plurals and endings taken off, words without meaning left out.
//!
//! English, Portuguese and Spanish share one set of light rules: nobody tells us which language a question is in, and a price
//! list is often in two. The rules need not make real words; they need to make the same term of "pães" and "pão", of
//! "batteries" and "battery", of "habitaciones" and "habitación". Both the question and the passage go through them.

use std::collections::HashSet;
use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Lower case, without accents, without invisible characters.
pub fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c) && !is_invisible(*c)).flat_map(char::to_lowercase).collect()
}

/// Characters that are not seen but change what is read: zero-width ones, direction overrides, tags, controls.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e01ef}')
        || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// `text` without invisible characters; line breaks stay.
pub fn visible(text: &str) -> String {
    text.replace("\r\n", "\n").chars().map(|c| if c == '\r' { '\n' } else { c }).filter(|c| !is_invisible(*c)).collect()
}

/// The folded words of `text`, in order: runs of letters or of digits. "Wi-Fi", "check-in" and their like are one word.
pub fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut digits = false;
    for c in folded.chars() {
        // An apostrophe inside a word ("what's", "d'água") parts it; the bits are too short to matter.
        if c.is_alphanumeric() {
            let digit = c.is_numeric();
            if !word.is_empty() && digit != digits {
                words.push(std::mem::take(&mut word));
            }
            digits = digit;
            word.push(c);
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    joined(words)
}

/// Pairs that people write as one word or as two.
const PAIRS: [(&str, &str, &str); 11] = [
    ("gluten", "free", "gluten"),
    ("lactose", "free", "lactose"),
    ("step", "free", "stepfree"),
    ("wi", "fi", "wifi"),
    ("check", "in", "checkin"),
    ("check", "out", "checkout"),
    ("e", "mail", "email"),
    ("e", "bike", "ebike"),
    ("take", "away", "takeaway"),
    ("tune", "up", "tuneup"),
    ("pick", "up", "pickup"),
];

fn joined(words: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        let pair = out.last().and_then(|last| PAIRS.iter().find(|(first, second, _)| last == first && word == *second));
        if let (Some((_, _, whole)), Some(last)) = (pair, out.last_mut()) {
            *last = (*whole).to_owned();
        } else {
            out.push(word);
        }
    }
    out
}

/// How a joined word may stand in the index, where every run of letters is a word of its own.
pub fn as_pair(word: &str) -> Option<(&'static str, &'static str)> {
    PAIRS.iter().find(|(_, _, whole)| *whole == word).map(|(first, second, _)| (*first, *second))
}

/// The term of a folded word: what is left when plural, gender and the commonest verb endings are off.
///
/// `~` stands for the Portuguese "-ão" and its plurals.
pub fn stem(word: &str) -> String {
    let mut w = word.to_owned();
    if w.chars().count() < 3 || w.starts_with(|c: char| c.is_numeric()) || !w.is_ascii() {
        return w;
    }
    let small = ["zinhos", "zinhas", "zinho", "zinha"].iter().find_map(|ending| w.strip_suffix(ending)).filter(|base| base.len() >= 3);
    if let Some(base) = small {
        w = base.to_owned();
    }
    for ending in ["oes", "aes", "aos", "ao", "oe"] {
        if let Some(base) = w.strip_suffix(ending).filter(|base| !base.is_empty()) {
            return format!("{base}~");
        }
    }
    if w.len() > 4 {
        for (plural, singular) in [("ais", "al"), ("eis", "el"), ("ois", "ol"), ("ies", "y")] {
            if let Some(base) = w.strip_suffix(plural) {
                w = format!("{base}{singular}");
                break;
            }
        }
    }
    if w.len() > 3 && w.ends_with('s') && !w.ends_with("ss") && !w.ends_with("us") && !w.ends_with("is") {
        w.pop();
        if w.len() >= 5 && (w.ends_with("sse") || w.ends_with("she") || w.ends_with("che") || w.ends_with("xe")) {
            w.pop();
        }
    }
    for ending in ["ando", "endo", "indo", "iendo", "amos", "emos", "imos", "ing", "ed", "ar", "er", "ir", "am", "em", "an", "en"] {
        if let Some(base) = w.strip_suffix(ending) {
            // "repair" and "chair" are no verbs in -ir.
            if base.len() >= 4 && !w.ends_with("air") {
                w = base.to_owned();
                break;
            }
        }
    }
    if w.len() >= 5 {
        if let Some(base) = w.strip_suffix("ie") {
            w = base.to_owned();
        } else if w.ends_with(['a', 'e', 'i', 'o', 'y']) {
            w.pop();
        }
    } else if w.len() == 4 && ["le", "ne", "re", "de", "je"].iter().any(|ending| w.ends_with(ending)) {
        // "panes" and "pan", "redes" and "red".
        w.pop();
    }
    if let Some(base) = w.strip_suffix('m') {
        w = format!("{base}n");
    } else if let Some(base) = w.strip_suffix('z') {
        // "luz" and "luces", "arroz" and "arroces".
        w = format!("{base}c");
    } else if w.ends_with("ce") {
        w.pop();
    }
    // "planned" and "plan", "fitting" and "fit".
    let bytes = w.as_bytes();
    if bytes.len() > 4 && bytes[bytes.len() - 1] == bytes[bytes.len() - 2] && !matches!(bytes[bytes.len() - 1], b's' | b'l' | b'r') {
        w.pop();
    }
    w
}

/// Words that say nothing about what is asked, in the three languages, folded; greetings and chatter among them.
const EMPTY: &str = "
 a an the this that these those it its he she they them we us you your yours my mine our ours i im me is are was were be been am do does did
 done doing have has had having can could will would shall should may might must of to in on at by for from with without about into over than then as or and but
 if so not no yes yeah ok okay please pls plz thanks thank thx hi hello hey there here how what whats which who whom whose when where why
 know tell get got want wanna need like just also too any some all more most very much many still ever only else really maybe guys folks sir madam
 d s t m ll re ve u ur r y wondering question ask asking let lets hope got give gimme yall mate cheers good morning afternoon evening day dear
 sell selling offer offers carry stock make made bring take see look looking find use using go going come coming put one ones thing things
 stuff something anything somebody someone anyone every each possible able isnt dont doesnt cant wont theres id ive available
 o os as um uma uns umas de do da dos das em no na nos nas ao aos pelo pela pelos pelas por para pra pro pras pros com sem e ou mas que se
 eu voce voces vc vcs cê ces tu ele ela eles elas nos me mim te lhe meu minha meus minhas seu sua seus suas nosso nossa esse essa esses essas este esta isso isto
 aquele aquela aqui ali la ai ja nao sim ne ta to tao tem tens temos teria teriam tinha ter tenho ha havia ser sou es sao era foi fui estou estao estava esta
 qual quais quem quando onde como porque pq quanto quanta quantos quantas quero queria queriam gostaria posso pode podem poderia poderiam
 consigo consegue saber sabe favor pfv pfvr porfavor obrigado obrigada obg brigado brigada valeu vlw oi oie ola opa eai tudo bem bom boa dia tarde noite
 gente pessoal moco moca amigo amiga senhor senhora tambem tb tbm ainda mais muito muita so apenas algum alguma alguns algumas nenhum outra outro todo toda todos todas
 fazem faz fazer vende vendem vender trabalha trabalham oferece oferecem duvida pergunta ver vou vai vamos ir preciso precisa coisa coisas agora entao dai
 disponivel disponiveis existe existem rola costuma sobre ate cada voltei passar pegar dar dao informacao informacoes informar fala falar
 el la los las un una unos unas lo al del con sin en por para pero y e o u ni si no que yo tu usted ustedes vosotros el ella ellos ellas nosotros
 mi mis tus su sus nuestro nuestra este esta estos estas ese esa eso esto aquel alli ahi ya hay habia tiene tienen teneis tenes tienes tengo tener teneis
 ser soy eres somos son era fue estoy estas estan cual cuales quien quienes cuando donde como cuanto cuanta cuantos cuantas quiero quisiera querria puedo puede pueden
 podria podrian podeis podemos saber sabe favor porfa gracias hola buenas buenos dias tardes noches bueno buena bien muy mucho mucha mas tambien todavia aun solo
 algun alguna algunos algunas ningun otro otra todos todas hacen hace hacer venden vender ofrecen ofrece duda pregunta ver voy va vamos ir necesito cosa
 cosas ahora entonces oye oiga disculpa disculpe perdon senor senora chicos existe disponible disponibles sobre desde hasta cada seria quisieramos informacion decir dime diga me te se le les nos
 after before during between while until since under below above near through again because off away up down back out onto upon within
 depois antes durante entre enquanto desde sob apos contra alem perto longe dentro fora partir cima baixo volta embora porem
 despues antes durante entre mientras bajo tras contra ademas lejos dentro fuera arriba abajo partir aunque
 hm hmm ah eh oh uh rs kk kkk haha";

/// Words that colour a question but seldom decide it, whatever their ending; they count little.
const SOFT: &str = "
 leave leaves leaving keep send show happen happens mean think believe like love prefer try trying start stop wait stay staying arrive enter exit
 use bring brought charge charged manage handle provide supply require required ask asked tell told say said find stand sit own live work
 forget forgot remember explain confirm check send problem issue error broken wrong worn never always already later early late soon old
 january february march april may june july august september october november december
 janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro
 enero febrero marzo mayo junio julio septiembre octubre noviembre diciembre
 nearby around service services servico servicos servicio servicios hotel restaurant shop loja tienda
 leva levam usa usam fica ficam manda mandam passa passam chega chegam sai saem lleva llevan deja dejan queda quedan pasa pasan llega llegan pone trae traen manda mandan
 deixar ficar mandar colocar chegar sair entrar usar achar pensar acontecer passar trazer mostrar comecar parar esperar servir dizer
 esquecer esqueci lembrar explicar confirmar avisar conseguir tentar morar resolver combinar precisar mesmo mesma vez sempre nunca cedo
 perto problema erro quebrado quebrada atender atendem atendimento
 dejar quedar poner llegar salir creer pasar traer mostrar empezar parar servir digo olvidar recordar explicar confirmar avisar intentar vivir
 mismo misma siempre nunca temprano cerca problema error roto rota atender hacer ofrecer
 today tomorrow tonight now week weekend month year kid kids child children son daughter husband wife friend friends mother father mom dad family
 birthday party person people guest home house place shop work visit buy bought buying order trip new old big small little nice best
 cheap cheapest expensive accept allow allowed include included town city country first next last time minimum maximum usually sure currently quick kind kinds type types sort
 quickly soon long option options different customer customers everything normal regular local own guess plan planning start beginning right whole per
 hoje amanha semana mes ano filho filha filhos marido esposa mulher amigos mae pai familia aniversario festa pessoas pessoa casa lugar loja
 comprar compra levar pedir novo nova grande pequeno pequena melhor barato barata caro cara aceita aceitam aceitar cidade primeiro proximo ultimo hora minimo maximo
 tipo tipos jeito opcao opcoes diferente cliente clientes normal certo final fim unidade
 hoy manana semana mes ano hijo hija hijos marido esposa mujer amigos madre padre familia cumpleanos fiesta persona personas casa lugar tienda
 comprar llevar pedir nuevo nueva grande pequeno pequena mejor barato caro cara acepta aceptan aceptar admiten permiten ciudad primero proximo ultimo minimo maximo
 incluye incluido incluida opcion opciones cliente clientes clinica hotel sitio fin";

/// Whether a folded word says nothing about what is asked.
pub fn is_empty(word: &str) -> bool {
    (word.len() == 1 && !word.starts_with(|c: char| c.is_numeric())) || empty_words().contains(word)
}

/// The words that say nothing.
pub fn empty_words() -> &'static HashSet<String> {
    static WORDS: OnceLock<HashSet<String>> = OnceLock::new();
    WORDS.get_or_init(|| EMPTY.split_whitespace().map(fold).collect())
}

/// Whether a folded word seldom decides what is asked.
pub fn is_soft(word: &str) -> bool {
    static TERMS: OnceLock<HashSet<String>> = OnceLock::new();
    TERMS.get_or_init(|| SOFT.split_whitespace().map(|word| stem(&fold(word))).collect()).contains(&stem(word))
}

/// Whether `a` may be a slip of the finger for `b`: one change in words of six letters or more, two in words of ten or more.
pub fn is_slip(a: &str, b: &str) -> bool {
    // Most pairs are told apart by their lengths and first letters alone, in bytes; no letter has more than four.
    let (x, y) = (a.as_bytes(), b.as_bytes());
    if x.len().max(y.len()) <= 5 || x.len().abs_diff(y.len()) > 8 || (x.first() != y.first() && x.get(1) != y.get(1)) {
        return false;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let allowed = match a.len().max(b.len()) {
        0..=5 => return false,
        6..=9 => 1,
        _ => 2,
    };
    if a.len().min(b.len()) < 5 {
        return false;
    }
    a.len().abs_diff(b.len()) <= allowed && distance(&a, &b) <= allowed
}

/// Damerau–Levenshtein distance with neighbours swapped counted once.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn singular_and_plural_share_a_term() {
        for (one, many) in [
            ("pao", "paes"),
            ("limao", "limoes"),
            ("cartao", "cartoes"),
            ("pastel", "pasteis"),
            ("animal", "animais"),
            ("bolo", "bolos"),
            ("doce", "doces"),
            ("jardim", "jardins"),
            ("battery", "batteries"),
            ("bike", "bikes"),
            ("brake", "brakes"),
            ("child", "child"),
            ("habitacion", "habitaciones"),
            ("luz", "luces"),
            ("arroz", "arroces"),
            ("pan", "panes"),
            ("pastel", "pasteles"),
            ("wheel", "wheels"),
            ("repair", "repairing"),
            ("entrega", "entregam"),
            ("abierto", "abierta"),
            ("delivery", "deliveries"),
            ("close", "closing"),
            ("reserva", "reservar"),
            ("glass", "glasses"),
            ("kit", "kits"),
            ("mascota", "mascotas"),
            ("paozinho", "paozinhos"),
            ("rent", "rented"),
        ] {
            assert_eq!(stem(one), stem(many), "{one} and {many}");
        }
    }

    #[test]
    fn different_words_keep_different_terms() {
        for (one, other) in
            [("bolo", "bola"), ("pao", "pano"), ("carta", "cartao"), ("queijo", "queixa"), ("pizza", "pizzicato"), ("tyre", "type")]
        {
            assert_ne!(stem(one), stem(other), "{one} and {other}");
        }
    }

    #[test]
    fn words_are_folded_split_and_joined() {
        assert_eq!(
            words("Pão-de-queijo 2kg, Wi‑Fi & check in às 15h30!"),
            ["pao", "de", "queijo", "2", "kg", "wifi", "checkin", "as", "15", "h", "30"]
        );
    }

    #[test]
    fn slips_are_small() {
        assert!(is_slip("horaro", "horario"));
        assert!(is_slip("chocolat", "chocolate"));
        assert!(is_slip("endereso", "endereco"));
        assert!(is_slip("entrgea", "entrega"));
        assert!(!is_slip("bolo", "bola") && !is_slip("levar", "lavar"));
        assert!(!is_slip("cenoura", "senhora"));
    }
}
