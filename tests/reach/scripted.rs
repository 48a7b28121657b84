//! A driver that does as it is told: addresses on loopback that lead to the door, or nowhere.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use shopbell_core::gateway::doors::{self, Places, Ports};
use shopbell_core::tunnel::supervisor::Patience;
use shopbell_core::tunnel::{Driver, Phase, Told, Trouble, TunnelState};
use shopbell_tests::hub::TestHub;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What the driver is told to do.
pub enum Order {
    /// Another address that leads to the door.
    Change,
    /// The address takes calls and answers none.
    Hang,
    /// The address answers with this, whatever is asked.
    Answer(&'static str),
    /// The tunnel ends.
    End(Trouble),
}

/// The hand that gives orders.
#[derive(Clone, Default)]
pub struct Hand {
    orders: Arc<Mutex<Option<mpsc::UnboundedSender<Order>>>>,
    opened: Arc<Mutex<u32>>,
    refused: Arc<Mutex<Option<Trouble>>>,
}

impl Hand {
    /// Gives an order to the tunnel that is open.
    pub fn order(&self, order: Order) {
        self.orders.lock().unwrap().as_ref().expect("a tunnel is open").send(order).unwrap_or_else(|_| panic!("the tunnel is open"));
    }

    /// How often a tunnel was opened.
    pub fn opened(&self) -> u32 {
        *self.opened.lock().unwrap()
    }

    /// From now on no tunnel opens.
    pub fn refuse(&self, trouble: Option<Trouble>) {
        *self.refused.lock().unwrap() = trouble;
    }
}

struct Scripted(Hand);

/// What a caller finds at the address.
#[derive(Clone, Copy)]
enum Behind {
    Door(SocketAddr),
    Nothing,
    Page(&'static str),
}

async fn stand(listener: TcpListener, behind: Arc<Mutex<Behind>>) {
    loop {
        let Ok((mut caller, _)) = listener.accept().await else { return };
        let behind = *behind.lock().unwrap();
        tokio::spawn(async move {
            match behind {
                Behind::Door(door) => {
                    let Ok(mut to) = TcpStream::connect(door).await else { return };
                    drop(tokio::io::copy_bidirectional(&mut caller, &mut to).await);
                }
                Behind::Nothing => tokio::time::sleep(Duration::from_secs(120)).await,
                Behind::Page(page) => drop(caller.write_all(page.as_bytes()).await),
            }
        });
    }
}

#[async_trait]
impl Driver for Scripted {
    async fn run(&self, door: SocketAddr, told: Told) -> Trouble {
        if let Some(trouble) = self.0.refused.lock().unwrap().clone() {
            return trouble;
        }
        *self.0.opened.lock().unwrap() += 1;
        let (orders, mut given) = mpsc::unbounded_channel();
        *self.0.orders.lock().unwrap() = Some(orders);
        let mut standing = tokio::task::JoinSet::new();
        let behind = Arc::new(Mutex::new(Behind::Door(door)));
        loop {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            standing.shutdown().await;
            standing.spawn(stand(listener, behind.clone()));
            told.send(url).await.unwrap();
            loop {
                match given.recv().await.expect("the hand outlives the tunnel") {
                    Order::Change => break,
                    Order::Hang => *behind.lock().unwrap() = Behind::Nothing,
                    Order::Answer(page) => *behind.lock().unwrap() = Behind::Page(page),
                    Order::End(trouble) => return trouble,
                }
            }
            *behind.lock().unwrap() = Behind::Door(door);
        }
    }
}

/// Short of everything.
pub fn patience() -> Patience {
    Patience {
        open: Duration::from_secs(2),
        prove: Duration::from_millis(300),
        prove_every: Duration::from_millis(50),
        healthy: Duration::from_millis(200),
        degraded: Duration::from_millis(100),
        pause: (Duration::from_millis(20), Duration::from_millis(100)),
        reset: Duration::from_secs(1),
        look: Duration::from_millis(500),
        hurry: 100,
    }
}

/// Opens the doors of a hub, with the scripted driver behind every setting.
pub async fn open_doors(hub: &TestHub) -> (Hand, doors::Doors) {
    let hand = Hand::default();
    let driver: Arc<dyn Driver> = Arc::new(Scripted(hand.clone()));
    hub.hub.tunnel.rehearse(Arc::new(move |_, _, _| Ok(driver.clone())), patience());
    let ports = Ports::take(&Places { admin: None, public: SocketAddr::from(([127, 0, 0, 1], 0)) }).await.unwrap();
    let doors = doors::open(&hub.hub, ports, None, None).await.unwrap();
    (hand, doors)
}

/// Waits for a state of the tunnel; panics after fifteen seconds.
pub async fn until(hub: &TestHub, what: &str, holds: impl Fn(&TunnelState) -> bool) -> TunnelState {
    let began = Instant::now();
    loop {
        let state = hub.hub.tunnel.state();
        if holds(&state) {
            return state;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "waited in vain until {what}: {state:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until the address is proven, and is another than `before`.
pub async fn proven(hub: &TestHub, before: Option<&str>) -> String {
    let state = until(hub, "the address is proven", |state| state.phase == Phase::PublicOk && state.url.as_deref() != before).await;
    state.url.unwrap()
}
