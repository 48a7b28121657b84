use super::*;
use crate::clock::ManualClock;
use crate::store::condition;

/// A Tuesday, noon.
const START: Timestamp = Timestamp::from_seconds(1_794_916_800);
const DAY: Duration = Duration::from_secs(86_400);
const PLENTY: Space = |_| Ok(1 << 40);

fn open() -> (Arc<Store>, Arc<ManualClock>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(START));
    (Store::open(directory.path(), clock.clone()).unwrap(), clock, directory)
}

async fn look(store: &Arc<Store>) -> bool {
    round(store, &TimeZone::UTC, PLENTY, &CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn one_is_made_each_day_and_one_for_all_the_days_that_were_missed() {
    let (store, clock, _directory) = open();
    assert!(look(&store).await, "a shop is copied on its first day");
    assert!(!look(&store).await);
    clock.advance(DAY / 2 - Duration::from_secs(1));
    assert!(!look(&store).await, "it is still the same day");
    clock.advance(Duration::from_secs(1));
    assert!(look(&store).await, "a minute past midnight is another day");
    clock.advance(DAY * 6);
    assert!(look(&store).await);
    assert!(!look(&store).await, "a week away is made up for once");
    assert_eq!(copies(&folder(&store)).unwrap().len(), 3);
    // A clock that was set forward by a year, and back again.
    store.write(|tx| Ok(tx.execute("UPDATE backup SET done_at = done_at + 31536000000", [])?)).await.unwrap();
    assert!(look(&store).await, "a backup of the future keeps nobody waiting");
}

#[tokio::test]
async fn a_copy_taken_while_the_shop_writes_is_whole_and_of_one_moment() {
    let (store, _clock, _directory) = open();
    store
        .write(|tx| {
            for n in 0..4000 {
                tx.execute("INSERT INTO setting (key, value) VALUES (?1, ?2)", (format!("filler {n:05}"), "x".repeat(900)))?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let writing = {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0..400 {
                let both = move |tx: &crate::store::Tx<'_>| {
                    tx.execute("INSERT INTO setting (key, value) VALUES (?1, '')", [format!("a {n}")])?;
                    tx.execute("INSERT INTO setting (key, value) VALUES (?1, '')", [format!("z {n}")])?;
                    Ok(())
                };
                store.write(both).await.unwrap();
            }
        })
    };
    make(&store, &TimeZone::UTC, PLENTY, &CancellationToken::new()).await.unwrap();
    writing.await.unwrap();
    let made = copies(&folder(&store)).unwrap();
    let copy = rusqlite::Connection::open(&made[0].path).unwrap();
    assert!(condition::integrity(&copy).unwrap().is_empty());
    let count = |like: &str| copy.query_row("SELECT count(*) FROM setting WHERE key LIKE ?1", [like], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("filler%"), 4000);
    assert_eq!(count("a %"), count("z %"), "what was written together is there together");
    let left: Vec<_> = std::fs::read_dir(folder(&store)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 1, "nothing lies beside it: {left:?}");
    let known = store.read(|db| state(db, Kind::Local)).await.unwrap();
    assert_eq!(known.file.as_deref(), Some(made[0].path.to_str().unwrap()));
    assert_eq!(known.bytes, made[0].path.metadata().unwrap().len());
}

#[tokio::test]
async fn a_full_disk_is_said_in_words_keeps_the_last_good_copy_and_is_tried_again_after_an_hour() {
    let (store, clock, _directory) = open();
    assert!(look(&store).await);
    let good = store.read(|db| state(db, Kind::Local)).await.unwrap();
    clock.advance(DAY);
    let full: Space = |_| Ok(3 << 20);
    let refused = round(&store, &TimeZone::UTC, full, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(refused.code, Code::DiskFull);
    let known = store.read(|db| state(db, Kind::Local)).await.unwrap();
    assert_eq!((known.done_at, &known.file), (good.done_at, &good.file), "the last good one is still named");
    let trouble = known.trouble.unwrap();
    assert!(trouble.contains("3 MB are free"), "{trouble}");
    assert!(!look(&store).await, "not at once");
    clock.advance(AGAIN);
    assert!(look(&store).await);
    assert_eq!(store.read(|db| state(db, Kind::Local)).await.unwrap().trouble, None);
}

#[tokio::test]
async fn a_copy_that_is_told_to_stop_leaves_nothing_and_is_no_failure() {
    let (store, _clock, _directory) = open();
    let stop = CancellationToken::new();
    stop.cancel();
    assert_eq!(make(&store, &TimeZone::UTC, PLENTY, &stop).await.unwrap_err().code, Code::Unavailable);
    assert_eq!(std::fs::read_dir(folder(&store)).unwrap().count(), 0);
    assert_eq!(store.read(|db| state(db, Kind::Local)).await.unwrap(), State::default());
}

#[test]
fn seven_days_and_four_weeks_are_kept_as_the_months_go_by() {
    // A copy every day for a hundred days, cleared after each.
    let mut there: Vec<Timestamp> = Vec::new();
    for n in 0..100 {
        there.insert(0, START.plus(DAY * n));
        let keep = kept(&there, &TimeZone::UTC);
        there.retain(|moment| keep.contains(moment));
    }
    let days_ago: Vec<u64> = there.iter().map(|moment| START.plus(DAY * 99).since(*moment).as_secs() / 86_400).collect();
    // The last day is a Wednesday: what is left of last week beyond the seven days, and the Sundays of three weeks before it.
    assert_eq!(days_ago, [0, 1, 2, 3, 4, 5, 6, 7, 10, 17, 24]);
    // Two on one day: the later one stays for the day.
    let two = [START.plus(DAY / 4), START];
    assert_eq!(kept(&two, &TimeZone::UTC), [two[0]]);
}

#[tokio::test]
async fn only_the_copies_made_by_themselves_are_ever_cleared_away() {
    let (store, clock, _directory) = open();
    for name in ["before-schema-10-1.db", "mine.db", "day-of-the-flood.db", "day-123.part"] {
        std::fs::write(folder(&store).join(name), b"x").unwrap();
    }
    for _ in 0..60 {
        assert!(look(&store).await);
        clock.advance(DAY);
    }
    let mut left: Vec<String> =
        std::fs::read_dir(folder(&store)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    let others: Vec<&str> = left.iter().map(String::as_str).filter(|name| !(name.starts_with("day-1") && name.ends_with(".db"))).collect();
    assert_eq!(others, ["before-schema-10-1.db", "day-of-the-flood.db", "mine.db"], "what an interrupted one left is gone");
    assert_eq!(left.len() - others.len(), DAYS + WEEKS);
}
