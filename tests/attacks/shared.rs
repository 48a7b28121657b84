//! One callback of an app that several connections share: each gets what is meant for it, and nobody else's.

use serde_json::json;
use shopbell_core::id::ConnectionId;

use crate::world::{SIGNATURE, World, ask};

const SIGNED: (&str, &str) = ("x-signature", SIGNATURE);

impl World {
    async fn shares(&self, config: serde_json::Value) -> ConnectionId {
        let id = ConnectionId::new();
        let (new, key) = (id.clone(), shopbell_core::connections::new_hook_key().unwrap());
        self.hub
            .store
            .write(move |tx| {
                tx.execute(
                    "INSERT INTO connection (id, connector, name, status, config, hook_key, created_at, updated_at) VALUES (?1, 'probe', 'Probe', 'active', ?2, ?3, 0, 0)",
                    rusqlite::params![new, config, key],
                )?;
                Ok(())
            })
            .await
            .unwrap();
        self.hub.reload(&id).await.unwrap();
        id
    }

    async fn arrivals_of(&self, id: &ConnectionId) -> i64 {
        let id = id.clone();
        self.hub
            .store
            .read(move |db| Ok(db.query_row("SELECT count(*) FROM arrival WHERE connection = ?1", [id], |row| row.get(0))?))
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn each_number_of_an_app_gets_its_own_and_what_is_for_nobody_is_counted() {
    let world = World::new().await;
    let one = world.shares(json!({ "app": "77", "number": "111" })).await;
    let two = world.shares(json!({ "app": "77", "number": "222" })).await;
    let other_app = world.shares(json!({ "app": "88", "number": "111" })).await;
    let wrong_secret = world.shares(json!({ "app": "77", "number": "111", "signature": "mistyped" })).await;
    for body in ["to 111", "to 222", "to 111 and 222"] {
        assert_eq!(ask(world.public(), "POST", "/hooks/probes/77", &[SIGNED], body.as_bytes()).await.status, 200, "{body}");
    }
    assert_eq!((world.arrivals_of(&one).await, world.arrivals_of(&two).await), (2, 2));
    assert_eq!((world.arrivals_of(&other_app).await, world.arrivals_of(&wrong_secret).await), (0, 0));
    assert_eq!(ask(world.public(), "POST", "/hooks/probes/77", &[SIGNED], b"to 333").await.status, 200, "the service need not come again");
    assert_eq!(world.count("SELECT count(*) FROM refusal WHERE reason LIKE 'meant for none%'").await, 1);
    assert_eq!(ask(world.public(), "POST", "/hooks/probes/77", &[("x-signature", "forged")], b"to 111").await.status, 401);
    assert_eq!(ask(world.public(), "POST", "/hooks/probes/99", &[SIGNED], b"to 111").await.status, 404, "no such app");
    assert_eq!(ask(world.public(), "GET", "/hooks/probes/77?challenge=42", &[], b"").await.body, "42");
    assert_eq!(ask(world.public(), "GET", "/hooks/probes/77?challenge=evil", &[], b"").await.status, 401);
    world.hub.stop().await;
}
