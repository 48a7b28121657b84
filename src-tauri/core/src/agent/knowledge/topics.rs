//! What customers ask about everywhere: prices, hours, delivery, payment. The same thing in other words and other languages.
//!
//! A topic joins words that mean the same in a shop ("horário", "opening hours", "abierto") and knows what its answer looks
//! like: a price has an amount of money in it, opening hours have a time. Only sure pairs stand here; a doubtful one would
//! turn an honest "I do not know" into a wrong answer.

use std::collections::HashSet;
use std::sync::OnceLock;

use super::signs;
use super::terms::{fold, stem, words};

/// Words that mean the same, and what an answer about them looks like.
pub struct Topic {
    /// Its name in the code.
    pub name: &'static str,
    /// Phrases that ask for it but would not stand in an answer ("how much").
    cues: &'static [&'static str],
    /// Words that stand in questions and answers alike.
    words: &'static str,
    /// Words that stand in answers only.
    answers: &'static str,
    /// Whether a line looks like an answer, whatever its words.
    pub sign: Option<fn(&str) -> bool>,
    /// How much it weighs beside an ordinary word, which weighs 1.
    pub weight: f64,
    /// Whether nothing but the sign will do ("how much" wants an amount).
    pub needs_sign: bool,
    /// Whether it is a rule of the house that holds for whatever is asked about ("can I return a jacket?").
    pub rule: bool,
    /// Whether it asks for a side of a thing (its price, how to pay for it) and is not a thing itself.
    pub aspect: bool,
}

const fn same(name: &'static str, words: &'static str) -> Topic {
    Topic { name, cues: &[], words, answers: "", sign: None, weight: 1.0, needs_sign: false, rule: false, aspect: false }
}

const fn rule(name: &'static str, words: &'static str) -> Topic {
    Topic { rule: true, ..aspect(name, words) }
}

const fn aspect(name: &'static str, words: &'static str) -> Topic {
    Topic { aspect: true, ..same(name, words) }
}

/// Every topic. Those with phrases first; earlier ones win a phrase ("quanto tempo" before "quanto").
pub static TOPICS: &[Topic] = &[
    Topic {
        cues: &["how long", "how many days", "quanto tempo", "quantos dias", "cuanto tiempo", "cuanto tarda", "cuanto tardan", "cuanto demora",
            "cuantos dias", "how far in advance", "how much time", "quanto demora", "cuanto dura", "quanto dura", "em quantos dias", "con cuanta antelacion",
            "con cuanto tiempo", "com quanta antecedencia", "how much notice", "how soon"],
        answers: "antecedencia antelacion advance notice",
        sign: Some(signs::duration),
        weight: 0.8,
        needs_sign: true,
        ..aspect("duration", "prazo plazo turnaround")
    },
    Topic {
        cues: &["how much", "quanto custa", "quanto custam", "quanto", "quantos reais", "cuanto cuesta", "cuanto vale", "cuanto", "cuantos euros", "how many dollars", "qto", "qnto", "qt custa"],
        answers: "free gratis gratuito gratuita gratuitos incluido incluida included",
        sign: Some(signs::money),
        weight: 0.8,
        needs_sign: true,
        ..aspect("price", "price prices pricing cost costs preco precos precinho precio precios valor valores custa custam cuesta cuestan custo costo coste tarifa tarifas fee fees
            charge charges cobra cobran cobram rate rates taxa tabela")
    },
    Topic {
        cues: &["what time", "que horas", "que hora", "a que hora", "q horas", "qual horario", "o horario", "horas de", "till when", "until when", "how late", "how early", "ate que horas", "hasta que hora"],
        answers: "",
        sign: Some(signs::time),
        weight: 0.9,
        needs_sign: false,
        ..aspect("hours", "hours open opens opening opened close closes closing closed abre abrem abren abrir abrimos aberto aberta abertos abierto abierta abiertos apertura abertura fecha fecham
            fechar fechado fechados cierra cierran cerrar cerrado cerrados horario horarios funciona funcionam funcionan funcionamento funcionamiento expediente")
    },
    Topic {
        cues: &["where are you", "where is", "where can i find you", "onde fica", "onde ficam", "onde voces", "onde vcs", "onde e", "onde", "donde estan", "donde esta", "donde queda", "donde", "where", "aonde",
            "how do i get there", "como chegar", "como llegar", "como chego", "como llego", "how far", "a que distancia", "qual a distancia", "quao longe"],
        answers: "rua avenida av street road calle plaza praca avenue esquina bairro barrio km walk metros metres",
        sign: None,
        weight: 0.8,
        needs_sign: false,
        ..aspect("place", "address endereco direccion location localizacao ubicacion located localizado ubicado")
    },
    Topic {
        cues: &["when", "quando", "cuando", "what day", "que dia", "which day", "which days", "what days", "que dias", "quais dias", "cuales dias"],
        sign: Some(signs::moment),
        weight: 0.5,
        ..aspect("when", "")
    },
    Topic {
        cues: &["fim de semana", "fins de semana", "fin de semana", "fines de semana", "final de semana", "finais de semana"],
        ..aspect("weekend", "weekend weekends saturday saturdays sunday sundays sabado sabados domingo domingos")
    },
    Topic {
        cues: &["order ahead", "in advance", "por encomenda", "sob encomenda", "por encargo", "antecedencia", "antelacion"],
        ..aspect("order", "preorder preorders encomenda encomendas encomendar encargo encargos encargar antecedencia antelacion advance ahead")
    },
    Topic {
        cues: &["phone number", "numero de telefone", "numero de telefono", "telefone", "telefono"],
        sign: Some(signs::phone),
        ..aspect("phone", "phone telephone telefone telefono fone call ligar llamar whatsapp zap zapzap celular")
    },
    Topic {
        cues: &["for free", "de graca", "sem pagar", "sin pagar", "without paying", "sem custo", "sin coste", "sin costo", "no charge"],
        ..aspect("free", "free gratis gratuito gratuita gratuitos gratuitas incluido incluida included incluso inclusa")
    },
    Topic { cues: &["cafe da manha"], ..same("breakfast", "breakfast desayuno desayunos") },
    Topic { cues: &["nota fiscal"], ..same("invoice", "invoice invoices receipt factura facturas facturar nfe") },
    Topic { cues: &["motor home", "public transport", "transporte publico"], ..same("transport", "bus onibus autobus metro subway tram tranvia train tren trem transporte transport traslado traslados translado shuttle transfer transfers") },
    same("delivery", "delivery deliver delivers deliveries delivered entrega entregas entregam entregar entregamos entregan entregais reparto repartos domicilio domicilios frete envio envios enviar enviam envian enviamos enviais
        ship ships shipping shipped mandam"),
    aspect("payment", "payment payments pay paying paid pagamento pagamentos pagar pagam pago pagos paga pagan abonar parcela parcelas parcelar parcelam parcelado cuotas installments installment"),
    same("card", "card cards cartao cartoes tarjeta tarjetas credito debito credit debit visa mastercard amex"),
    same("cash", "cash dinheiro efectivo especie"),
    same("gluten", "gluten celiaco celiacos celiaca celiacas celiac coeliac coeliacs"),
    same("lactose", "lactose lactosa dairy lacteos laticinios"),
    same("allergy", "allergy allergies allergen allergens allergic alergia alergias alergeno alergenos alergico alergica alergicos alergenico"),
    same("nuts", "nut nuts castanha castanhas nozes nuez nueces amendoim cacahuete cacahuetes mani peanut peanuts"),
    same("vegan", "vegan vegans vegano vegana veganos veganas"),
    same("vegetarian", "vegetarian vegetariano vegetariana vegetarianos"),
    same("parking", "parking park estacionamento estacionar estacionamiento aparcamiento aparcar parqueadero parquear garage garagem garaje cochera"),
    same("wifi", "wifi internet"),
    same("pets", "pet pets dog dogs cat cats cachorro cachorros cao caes gato gatos perro perros mascota mascotas animal animais animales puppy"),
    Topic { cues: &["money back", "dinheiro de volta", "devolver el dinero"], ..rule("returns", "return returns returned refund refunds devolver devolucao devolucoes devolve devolucion devoluciones reembolso reembolsos troca trocar trocas trocam exchange exchanges") },
    rule("warranty", "warranty warranties guarantee guaranteed garantia garantias"),
    aspect("booking", "appointment appointments booking bookings book reservation reservations reserve reserva reservas reservar cita citas agendar agendamento marcar agenda"),
    rule("cancel", "cancel cancels cancelling canceling cancellation cancellations cancelar cancelo cancela cancelamento cancelacion cancelaciones anular anulo"),
    same("email", "email emails correo mail"),
    same("insurance", "insurance seguro seguros aseguradora aseguradoras mutua mutuas convenio convenios"),
    same("holiday", "holiday holidays feriado feriados festivo festivos"),
    aspect("discount", "discount discounts desconto descontos descuento descuentos promocao promocoes promocion promociones coupon coupons cupom cupon"),
    same("children", "kids kid child children crianca criancas infantil nino ninos nina ninas bebe bebes baby babies menores"),
    same("wheelchair", "wheelchair wheelchairs accessible accessibility cadeirante cadeirantes acessibilidade acessivel accesible accesibilidad stepfree adaptada adaptadas"),
    same("pool", "pool piscina"),
    same("gym", "gym gimnasio academia ginasio"),
    same("room", "room rooms quarto quartos habitacion habitaciones"),
    same("bicycle", "bike bikes bicycle bicycles bicicleta bicicletas bici bicis"),
    same("bread", "bread breads pao paes paozinho pan panes loaf loaves"),
    same("cake", "cake cakes bolo bolos tarta tartas"),
    same("cheese", "cheese queijo queijos queso quesos"),
    same("coffee", "coffee cafe cafes cafezinho"),
    same("repair", "repair repairs repairing fix fixing conserto consertos consertar consertam reparo reparos reparar reparacion reparaciones arreglar arreglo arreglos"),
    same("rental", "rent rental rentals renting hire alugar aluguel alugam alquiler alquilar alquilan"),
    same("puncture", "puncture punctures flat flats furo furado pinchazo pinchazos"),
    same("tyre", "tyre tyres tire tires pneu pneus"),
    same("arrival", "checkin entrada llegada chegada arrival arrive"),
    same("departure", "checkout salida saida departure"),
    same("airport", "airport aeropuerto aeroporto"),
    same("electric", "electric electrical electrico electrica electricos electricas eletrico eletrica eletricos eletricas ebike ebikes"),
    same("laundry", "laundry lavanderia lavar wash washing"),
    same("beach", "beach playa praia"),
    same("lift", "lift elevator ascensor elevador"),
    same("deposit", "deposit deposito sinal fianza caucao"),
    same("restaurant", "restaurant restaurante"),
    same("dinner", "dinner cena jantar"),
    same("lunch", "lunch almuerzo almoco"),
    same("beer", "beer beers cerveja cervejas cerveza cervezas"),
    same("wine", "wine wines vinho vinhos vino vinos"),
    same("milk", "milk leite leche"),
    same("egg", "egg eggs ovo ovos huevo huevos"),
    same("towel", "towel towels toalha toalhas toalla toallas"),
    same("bed", "bed beds cama camas"),
    same("smoking", "smoking smoke smokers fumar fumador fumadores fumante fumantes"),
    same("language", "language languages idioma idiomas"),
    same("helmet", "helmet helmets capacete capacetes casco cascos"),
    same("orange", "orange oranges laranja laranjas naranja naranjas"),
    same("lemon", "lemon lemons lime limes limao limoes limon limones"),
    same("chicken", "chicken frango pollo"),
    same("beef", "beef carne"),
    same("juice", "juice juices suco sucos zumo zumos jugo jugos"),
    same("water", "water agua"),
    same("luggage", "luggage baggage bag bags suitcase suitcases equipaje equipajes maleta maletas bagagem bagagens mala malas"),
    same("ticket", "size sizes tamanho tamanhos talla tallas tamano tamanos"),
    same("takeaway", "takeaway pickup retirar retirada recoger recogida collect collection"),
    same("job", "job jobs vacancy vacancies hiring vaga vagas emprego empleo curriculo curriculum trabajo"),
    same("visit", "visita visitas tour tours excursion excursiones passeio passeios"),
    same("doctor", "doctor doctors medico medicos medica doctora physician"),
    same("urgent", "emergency emergencies urgent urgencia urgencias urgente emergencia emergencias"),
    same("result", "result results resultado resultados"),
    same("test", "test tests analisis analise analises exame exames"),
    same("old", "age ages idade edad edades"),
];

struct Known {
    words: HashSet<String>,
    answers: HashSet<String>,
    cues: Vec<Vec<String>>,
}

fn known() -> &'static [Known] {
    static KNOWN: OnceLock<Vec<Known>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let stems = |text: &str| text.split_whitespace().map(|word| stem(&fold(word))).collect::<HashSet<_>>();
        TOPICS
            .iter()
            .map(|topic| {
                let words_of = stems(topic.words);
                let mut answers = stems(topic.answers);
                answers.extend(words_of.iter().cloned());
                Known { words: words_of, answers, cues: topic.cues.iter().map(|cue| words(cue)).collect() }
            })
            .collect()
    })
}

/// The topics whose phrases stand in `words`, with the place of each phrase. A word belongs to one phrase only.
pub fn asked(words: &[String]) -> Vec<(usize, std::ops::Range<usize>)> {
    let mut found: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
    for (index, topic) in known().iter().enumerate() {
        let mut cues: Vec<_> = topic.cues.iter().collect();
        cues.sort_by_key(|cue| std::cmp::Reverse(cue.len()));
        'topic: for cue in cues {
            for start in 0..(words.len() + 1).saturating_sub(cue.len()) {
                let place = start..start + cue.len();
                let free = found.iter().all(|(_, other)| place.end <= other.start || other.end <= place.start);
                if free && words[place.clone()] == cue[..] {
                    found.push((index, place));
                    break 'topic;
                }
            }
        }
    }
    found
}

/// The topic that a term belongs to.
pub fn of(term: &str) -> Option<usize> {
    known().iter().position(|topic| topic.words.contains(term))
}

/// The terms that stand in answers about a topic.
pub fn answers(topic: usize) -> &'static HashSet<String> {
    &known()[topic].answers
}

/// The words of a topic as people write them, for the index.
pub fn spellings(topic: usize) -> impl Iterator<Item = &'static str> {
    TOPICS[topic].words.split_whitespace().chain(TOPICS[topic].answers.split_whitespace())
}

#[cfg(test)]
mod tests {
    use super::super::terms::empty_words;
    use super::*;

    #[test]
    fn no_topic_is_named_by_a_word_that_says_nothing() {
        let both: Vec<_> = empty_words().iter().filter_map(|word| of(&stem(word)).map(|topic| (word, TOPICS[topic].name))).collect();
        assert!(both.is_empty(), "{both:?}");
    }
}
