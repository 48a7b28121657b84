//! Which network addresses may be called, and which never.
//!
//! An attacker who can make the hub fetch an address (a picture's link, a redirect, a name that resolves to something else a moment
//! later) must not reach the owner's router, another program on this computer or a cloud's metadata service. So every address
//! is sorted before a connection is made to it; see <https://www.iana.org/assignments/iana-ipv4-special-registry/>.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of place an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Somewhere in the internet.
    Public,
    /// This computer or the owner's own network: only where the owner typed that very host.
    Private,
    /// Never: link-local, cloud metadata, broadcast, documentation, translated and reserved ranges.
    Never,
}

/// Sorts an address.
pub fn classify(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => classify_v4(v4),
            None => classify_v6(v6),
        },
    }
}

/// Places inside otherwise ordinary ranges where clouds keep credentials.
const METADATA_V4: [Ipv4Addr; 2] = [
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba
    Ipv4Addr::new(168, 63, 129, 16),   // Azure
];

fn classify_v4(address: Ipv4Addr) -> Class {
    if METADATA_V4.contains(&address) {
        return Class::Never;
    }
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        // This computer, the three private ranges, carrier-grade NAT, and the benchmark range that some VPNs hand out.
        (127 | 10, _, _) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) | (198, 18 | 19, _) => Class::Private,
        // "This network", link-local (metadata services), protocol assignments, documentation, 6to4 relays, multicast, reserved.
        (0, _, _) | (169, 254, _) | (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113) | (224..=255, _, _) => Class::Never,
        _ => Class::Public,
    }
}

fn classify_v6(address: Ipv6Addr) -> Class {
    let s = address.segments();
    if address.is_loopback() {
        return Class::Private;
    }
    // Unique local addresses are the owner's network, but for the places where Amazon and Google keep metadata.
    if s[0] & 0xfe00 == 0xfc00 {
        let metadata = (s[0] == 0xfd00 && s[1] == 0x0ec2) || (s[0] == 0xfd20 && s[1] == 0x00ce);
        return if metadata { Class::Never } else { Class::Private };
    }
    // Only 2000::/3 is the internet; inside it, what carries or pretends to be something else is refused.
    let internet = s[0] & 0xe000 == 0x2000;
    let special = match s[0] {
        0x2001 => s[1] < 0x0200 || s[1] == 0x0db8, // protocol assignments (Teredo, ORCHID, benchmarks), documentation
        0x2002 => true,                            // 6to4 carries an IPv4 address
        0x3fff => s[1] & 0xf000 == 0,              // documentation
        _ => false,
    };
    if internet && !special { Class::Public } else { Class::Never }
}

/// Whether an address is the translation (NAT64, 64:ff9b::/96) of a public IPv4 address. Networks that have IPv6 alone hand these out
/// beside the plain ones; such a twin is left out rather than held against the name.
pub fn is_translation_of_public(address: IpAddr) -> bool {
    let IpAddr::V6(v6) = address else { return false };
    let s = v6.segments();
    if s[..6] != [0x64, 0xff9b, 0, 0, 0, 0] {
        return false;
    }
    let [a, b] = s[6].to_be_bytes();
    let [c, d] = s[7].to_be_bytes();
    classify_v4(Ipv4Addr::new(a, b, c, d)) == Class::Public
}
