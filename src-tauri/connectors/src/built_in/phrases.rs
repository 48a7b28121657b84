//! The clerk's own words. Short, warm, and never about the shop: those are quotations.

/// A language the clerk speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Portuguese, as in Brazil.
    Portuguese,
    /// Spanish.
    Spanish,
}

impl Language {
    /// From a language tag ("pt-BR").
    pub fn of_tag(tag: &str) -> Option<Self> {
        match tag.get(..2)?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "pt" => Some(Self::Portuguese),
            "es" => Some(Self::Spanish),
            _ => None,
        }
    }

    fn pick(self, [english, portuguese, spanish]: [&'static str; 3]) -> &'static str {
        match self {
            Self::English => english,
            Self::Portuguese => portuguese,
            Self::Spanish => spanish,
        }
    }
}

/// What stands on the button that calls a person, in each language.
pub const OFFER: [&str; 3] = ["Talk to a person", "Falar com uma pessoa", "Hablar con una persona"];

/// The id of that button.
pub const PERSON: &str = "person";

macro_rules! phrases {
    ($($(#[$doc:meta])* $name:ident = $english:literal, $portuguese:literal, $spanish:literal;)*) => {
        impl Language {$(
            $(#[$doc])*
            pub fn $name(self) -> &'static str {
                self.pick([$english, $portuguese, $spanish])
            }
        )*}
    };
}

phrases! {
    /// Answers a greeting.
    hello = "Hello! What would you like to know?", "Olá! O que você gostaria de saber?", "¡Hola! ¿Qué te gustaría saber?";
    /// Before an answer to somebody who greeted.
    hello_short = "Hello!", "Olá!", "¡Hola!";
    /// Answers thanks.
    welcome = "You're welcome! Just write if there is anything else.", "De nada! Se precisar de mais alguma coisa, é só escrever.", "¡De nada! Si necesitas algo más, escríbenos.";
    /// Answers a good-bye.
    bye = "Good-bye, and thanks for writing!", "Até logo, e obrigado pela mensagem!", "¡Hasta luego, y gracias por escribir!";
    /// Answers "all right".
    fine = "All right. What else would you like to know?", "Certo. O que mais você gostaria de saber?", "De acuerdo. ¿Qué más te gustaría saber?";
    /// Answers "no, thank you".
    no_problem = "No problem. I'm here if you need anything.", "Tudo bem. Se precisar, é só chamar.", "Sin problema. Si necesitas algo, aquí estoy.";
    /// Before quotations.
    found = "Here is what I found:", "Encontrei isto:", "Esto es lo que encontré:";
    /// When the documents do not answer.
    unknown = "I don't know that for sure, and I'd rather not guess.", "Isso eu não sei dizer com certeza e prefiro não chutar.", "Eso no lo sé con seguridad y prefiero no adivinar.";
    /// When they do not answer one question of several; `{}` is the question.
    unknown_about = "About “{}”: I don't know that for sure.", "Sobre “{}”: isso eu não sei dizer com certeza.", "Sobre «{}»: eso no lo sé con seguridad.";
    /// Offers a person.
    offer = "Would you like to talk to a person?", "Quer falar com uma pessoa?", "¿Quieres hablar con una persona?";
    /// The button.
    offer_label = "Talk to a person", "Falar com uma pessoa", "Hablar con una persona";
    /// A person was called.
    called = "I've called someone from the team. They will answer you right here.", "Chamei alguém da equipe. A resposta vem por aqui mesmo.", "He avisado a alguien del equipo. Te responderá aquí mismo.";
    /// No person can be called from here.
    cannot_call = "I can't call anyone from here, but the team sees this conversation.", "Daqui eu não consigo chamar ninguém, mas a equipe vê esta conversa.", "Desde aquí no puedo llamar a nadie, pero el equipo ve esta conversación.";
    /// Looking things up did not work.
    cannot_look = "I can't look that up right now.", "Agora não estou conseguindo consultar isso.", "Ahora mismo no puedo consultarlo.";
    /// Only a picture or a sound came.
    only_text = "I can only read text.", "Eu só consigo ler texto.", "Solo puedo leer texto.";
    /// What the clerk is.
    automatic = "I'm an automatic assistant: I answer from the shop's own information.", "Sou um assistente automático: respondo com as informações da própria loja.", "Soy un asistente automático: respondo con la información de la propia tienda.";
    /// Why a person is called, for the people of the shop.
    reason = "The customer asks for a person.", "O cliente pediu para falar com uma pessoa.", "El cliente pide hablar con una persona.";
    /// Before the open question, for the people of the shop.
    last_asked = "Last asked:", "Última pergunta:", "Última pregunta:";
    /// The answer is whole already.
    anything_else = "Is there anything else?", "Posso ajudar em mais alguma coisa?", "¿Algo más?";
    /// A place in a document, the word before one number.
    line = "line", "linha", "línea";
    /// Several lines.
    lines = "lines", "linhas", "líneas";
    /// A row of a table.
    row = "row", "linha", "fila";
}
