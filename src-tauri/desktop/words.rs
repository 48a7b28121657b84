//! What the desktop itself says, in the hub's three languages: the tray, notifications, dialogs. The screens have their own
//! words in `ui/src/locales`, the hub has its own too.

use std::sync::RwLock;

/// One thing the desktop says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// Tray: shows the window.
    Open,
    /// Tray: stops everything.
    Quit,
    /// Tray, state: the hub is starting.
    Starting,
    /// Tray, state: messages come in.
    Receiving,
    /// Tray, state: there is nothing to receive from yet.
    NothingConnected,
    /// Tray, state: something is broken.
    NotReceiving,
    /// Tray, state: the vault is closed.
    Locked,
    /// The first time the window is closed.
    ClosedTitle,
    /// What happens now.
    Closed,
    /// Button: leave it running.
    KeepRunning,
    /// Notification: a customer wrote and a person holds the conversation.
    Wants,
    /// Notification: something stopped receiving.
    Stopped,
    /// A link of a kind that is not opened.
    LinkRefused,
    /// The system has nothing to open a link with.
    LinkUnopened,
    /// Title of the dialog before the app gives up.
    CannotStart,
    /// A file could not be written where the person said.
    NotSaved,
}

impl Say {
    /// The words in the language chosen now.
    pub fn now(self) -> &'static str {
        self.in_language(language())
    }

    /// The words in one language.
    pub fn in_language(self, language: &str) -> &'static str {
        let (english, portuguese, spanish) = self.all();
        match language {
            "pt-BR" => portuguese,
            "es" => spanish,
            _ => english,
        }
    }

    fn all(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Open => ("Open Shopbell", "Abrir o Shopbell", "Abrir Shopbell"),
            Self::Quit => ("Quit", "Sair", "Salir"),
            Self::Starting => ("Starting…", "Iniciando…", "Iniciando…"),
            Self::Receiving => ("Receiving messages", "Recebendo mensagens", "Recibiendo mensajes"),
            Self::NothingConnected => ("Nothing is connected yet", "Nada está conectado ainda", "Aún no hay nada conectado"),
            Self::NotReceiving => {
                ("Not receiving: open to see why", "Sem receber: abra para ver o motivo", "Sin recibir: abra para ver por qué")
            }
            Self::Locked => {
                ("Locked: open and type the passphrase", "Trancado: abra e digite a senha", "Cerrado: abra y escriba la contraseña")
            }
            Self::ClosedTitle => ("Shopbell keeps running", "O Shopbell continua rodando", "Shopbell sigue funcionando"),
            Self::Closed => (
                "With the window closed, Shopbell still receives and answers messages. Open or quit it from the bell in the tray, or start it again to see the window.",
                "Com a janela fechada, o Shopbell continua recebendo e respondendo mensagens. Abra ou saia pelo sino na bandeja, ou inicie de novo para ver a janela.",
                "Con la ventana cerrada, Shopbell sigue recibiendo y respondiendo mensajes. Ábralo o salga desde la campana de la bandeja, o inícielo de nuevo para ver la ventana.",
            ),
            Self::KeepRunning => ("Keep it running", "Deixar rodando", "Dejar funcionando"),
            Self::Wants => ("A customer is waiting for you", "Um cliente está esperando por você", "Un cliente le está esperando"),
            Self::Stopped => ("A connection stopped receiving", "Uma conexão parou de receber", "Una conexión dejó de recibir"),
            Self::LinkRefused => (
                "Shopbell opens only web pages (https) and e-mail addresses.",
                "O Shopbell só abre páginas (https) e endereços de e-mail.",
                "Shopbell solo abre páginas (https) y direcciones de correo.",
            ),
            Self::LinkUnopened => (
                "Your system has no program to open this link with.",
                "Seu sistema não tem um programa para abrir este link.",
                "Su sistema no tiene un programa para abrir este enlace.",
            ),
            Self::CannotStart => ("Shopbell cannot start", "O Shopbell não pode iniciar", "Shopbell no puede iniciar"),
            Self::NotSaved => {
                ("The file could not be saved there.", "Não foi possível salvar o arquivo ali.", "No se pudo guardar el archivo allí.")
            }
        }
    }
}

static LANGUAGE: RwLock<&'static str> = RwLock::new("en");

/// The language the desktop speaks now.
pub fn language() -> &'static str {
    *LANGUAGE.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Chooses the language by its name, as the hub's settings or the system's locale give it. Unknown ones are English.
pub fn set_language(name: &str) {
    let chosen = match name.get(..2).unwrap_or_default() {
        "pt" => "pt-BR",
        "es" => "es",
        _ => "en",
    };
    *LANGUAGE.write().unwrap_or_else(std::sync::PoisonError::into_inner) = chosen;
}

/// The system's own language, until the hub says which one the owner chose.
pub fn set_language_of_system() {
    let named = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    set_language(named.as_deref().unwrap_or("en"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_chooses_one_of_the_three_languages() {
        for (named, spoken) in [("pt_BR.UTF-8", "pt-BR"), ("es_MX", "es"), ("de_DE", "en"), ("C", "en"), ("", "en"), ("é", "en")] {
            set_language(named);
            assert_eq!(language(), spoken, "{named}");
        }
        set_language("en");
        assert_eq!(Say::Quit.now(), "Quit");
        assert_eq!(Say::Quit.in_language("es"), "Salir");
    }
}
