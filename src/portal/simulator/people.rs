//! The invented people of the sample portal. None of them exists; the addresses are on domains that cannot.

use super::period::Month;
use super::person::{Account, Kind, Payroll, Person, Standing, reference};

const TREASURY: &str = "Perbendaharaan Negeri Kelantan";
const SECRETARY: &str = "Pejabat Setiausaha Kerajaan Negeri Kelantan";
const WORKS: &str = "Jabatan Kerja Raya Negeri Kelantan";
const IRRIGATION: &str = "Jabatan Pengairan dan Saliran Negeri Kelantan";
const VETERINARY: &str = "Jabatan Perkhidmatan Veterinar Negeri Kelantan";
const FARMING: &str = "Jabatan Pertanian Negeri Kelantan";
const FORESTRY: &str = "Jabatan Perhutanan Negeri Kelantan";
const WELFARE: &str = "Jabatan Kebajikan Masyarakat Negeri Kelantan";
const LAND_KOTA_BHARU: &str = "Pejabat Tanah dan Jajahan Kota Bharu";
const LAND_TUMPAT: &str = "Pejabat Tanah dan Jajahan Tumpat";
const LAND_GUA_MUSANG: &str = "Pejabat Tanah dan Jajahan Gua Musang";

const ORDINARY: Standing = Standing {
    active: true,
    account: Account::Active,
    payroll: Payroll::Py,
    months_in_service: None,
    note: "ordinary staff",
};
const RECENT: Standing = Standing {
    months_in_service: Some(3),
    note: "hired three months ago, few payslips and no annual statement",
    ..ORDINARY
};
const HALFWAY: Standing = Standing {
    months_in_service: Some(15),
    note: "hired fifteen months ago, one annual statement at most",
    ..ORDINARY
};
const PENDING: Standing = Standing {
    account: Account::Pending,
    note: "registered, first password not chosen yet",
    ..ORDINARY
};
const UNREGISTERED: Standing = Standing {
    account: Account::None,
    note: "paid through PY, never registered",
    ..ORDINARY
};
const APPOINTEE: Standing = Standing {
    account: Account::None,
    payroll: Payroll::None,
    months_in_service: Some(0),
    note: "new appointee, not yet in PY",
    ..ORDINARY
};
const MYSTEP: Standing = Standing {
    note: "MySTEP worker, not eligible: never in PY",
    ..APPOINTEE
};
const LEAVER: Standing = Standing {
    active: false,
    note: "has left the service",
    ..ORDINARY
};
const NO_EMAIL: Standing = Standing {
    note: "no e-mail address registered",
    ..ORDINARY
};
const NO_EMAIL_UNREGISTERED: Standing = Standing {
    note: "never registered, and no e-mail address",
    ..UNREGISTERED
};
const LONG_NAME: Standing = Standing {
    note: "a very long name with an apostrophe and A/L",
    ..ORDINARY
};
const TWO_ROLES: Standing = Standing {
    note: "staff, and a supplier under the same number",
    ..ORDINARY
};
const TRADING: Standing = Standing {
    payroll: Payroll::None,
    note: "supplier",
    ..ORDINARY
};
const TRADING_PENDING: Standing = Standing {
    account: Account::Pending,
    note: "supplier, first password not chosen yet",
    ..TRADING
};
const TRADING_UNREGISTERED: Standing = Standing {
    account: Account::None,
    note: "supplier, never registered",
    ..TRADING
};
const TRADING_NO_EMAIL: Standing = Standing {
    note: "supplier without an e-mail address",
    ..TRADING
};
const CLOSED: Standing = Standing {
    active: false,
    note: "supplier that has closed",
    ..TRADING
};
const SOLE_PROPRIETOR: Standing = Standing {
    note: "sole proprietor under an identity number",
    ..TRADING
};
const TWO_ROLES_TRADING: Standing = Standing {
    note: "supplier, and staff under the same number",
    ..TRADING
};

/// Identity number, name, responsibility centre, e-mail address (or none), standing.
type StaffRow = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Standing,
);

/// The first two are ordinary; the portal mails the first one's password, the helpdesk the second one's.
#[rustfmt::skip]
const STAFF: [StaffRow; 31] = [
    ("880313036661", "Mohd Zulkifli bin Che Awang",        TREASURY,        "zulkifli@kelantan.example",      ORDINARY),
    ("950703035610", "Nik Nur Izzati binti Nik Hassan",    TREASURY,        "nik.izzati@kelantan.example",    ORDINARY),
    ("720904035938", "Wan Rokiah binti Wan Yusoff",        TREASURY,        "wan.rokiah@kelantan.example",    ORDINARY),
    ("751010036433", "Tuan Mohd Azmi bin Tuan Ismail",     SECRETARY,       "tuan.azmi@kelantan.example",     ORDINARY),
    ("760514035368", "Che Siti Hajar binti Che Mat",       SECRETARY,       "hajar.chemat@mel.example",       ORDINARY),
    ("910218036821", "Muhammad Faiz bin Abdul Ghani",      WORKS,           "faiz@kelantan.example",          ORDINARY),
    ("741019036632", "Tan Mei Ling",                       WORKS,           "meiling.tan@mel.example",        ORDINARY),
    ("731010036347", "Lim Kim Huat",                       IRRIGATION,      "kimhuat@kelantan.example",       ORDINARY),
    ("891215035738", "Kavitha A/P Subramaniam",            WELFARE,         "kavitha@kelantan.example",       ORDINARY),
    ("720217036073", "Eh Chum A/L Eh Din",                 LAND_TUMPAT,     "eh.chum@kelantan.example",       ORDINARY),
    ("711223035798", "Suda A/P Nai Bun",                   LAND_TUMPAT,     "suda@mel.example",               ORDINARY),
    ("960523035985", "Ahmad Danish bin Roslan",            VETERINARY,      "danish@kelantan.example",        ORDINARY),
    ("690812035438", "Hasnah binti Deraman",               FARMING,         "hasnah@kelantan.example",        ORDINARY),
    ("750802035555", "Rajendran A/L Muniandy",             FORESTRY,        "rajendran@kelantan.example",     ORDINARY),
    ("901016036486", "Ong Siew Chin",                      LAND_KOTA_BHARU, "siewchin@mel.example",           ORDINARY),
    ("821108035037", "Thirunavukkarasu 'Arasu' Venkatasubramaniam A/L S'vanesan Krishnamoorthy Parameswaran Pillai",
                                                           LAND_GUA_MUSANG, "arasu@kelantan.example",         LONG_NAME),
    ("910804035297", "Mohd Hafizuddin bin Mamat",          WORKS,           "hafizuddin@kelantan.example",    TWO_ROLES),
    ("990206036147", "Nik Amirul Haziq bin Nik Din",       TREASURY,        "amirul.haziq@mel.example",       RECENT),
    ("981206036320", "Nurul Ain binti Jusoh",              WELFARE,         "nurulain@kelantan.example",      RECENT),
    ("970816035790", "Wong Li Ting",                       FARMING,         "liting@mel.example",             HALFWAY),
    ("980411035527", "Somchai A/L Eh Phrom",               LAND_TUMPAT,     "somchai@kelantan.example",       PENDING),
    ("930713036000", "Fatin Nabilah binti Zakaria",        SECRETARY,       "fatin.nabilah@mel.example",      PENDING),
    ("920321035644", "Rohani binti Awang Kechik",          IRRIGATION,      "rohani@kelantan.example",        UNREGISTERED),
    ("840912035425", "Engku Syahrul bin Engku Ali",        FORESTRY,        "engku.syahrul@kelantan.example", UNREGISTERED),
    ("010101030851", "Muhammad Aiman bin Che Soh",         LAND_KOTA_BHARU, "aiman.chesoh@mel.example",       APPOINTEE),
    ("000825030468", "Puteri Balqis binti Rahim",          VETERINARY,      "balqis@mel.example",             APPOINTEE),
    ("011011030660", "Siti Khadijah binti Mohd Noor",      WELFARE,         "khadijah@mel.example",           MYSTEP),
    ("690228035539", "Abdul Rahman bin Tok Him",           WORKS,           "rahman.tokhim@mel.example",      LEAVER),
    ("820303035452", "Normah binti Seman",                 TREASURY,        "normah@kelantan.example",        LEAVER),
    ("680821035880", "Mek Yah binti Salleh",               LAND_GUA_MUSANG, "",                               NO_EMAIL),
    ("850809035498", "Zaiton binti Hamzah",                FARMING,         "",                               NO_EMAIL_UNREGISTERED),
];

/// Company id, name, e-mail address (or none), standing.
type SupplierRow = (&'static str, &'static str, &'static str, Standing);

#[rustfmt::skip]
const SUPPLIERS: [SupplierRow; 10] = [
    ("201901012345", "Contoh Bekalan Pejabat Sdn. Bhd.",   "akaun.bekalan@contoh.example",  TRADING),
    ("202103004567", "Seri Budu Katering Enterprise",      "seribudu@mel.example",          TRADING),
    ("123456-X",     "Kejuruteraan Tok Bali Sdn. Bhd.",    "tokbali@contoh.example",        TRADING),
    ("654321-K",     "Percetakan Cik Siti Wan Kembang",    "cetak@contoh.example",          TRADING),
    ("800512035673", "Che Ibrahim bin Che Omar",           "ibrahim.omar@mel.example",      SOLE_PROPRIETOR),
    ("910804035297", "Mohd Hafizuddin bin Mamat",          "hafizuddin.niaga@mel.example",  TWO_ROLES_TRADING),
    ("202001098765", "Wau Bulan Digital Sdn. Bhd.",        "waubulan@contoh.example",       TRADING_PENDING),
    ("201703045678", "Lim & Anak-anak Hardware",           "lim.hardware@contoh.example",   TRADING_UNREGISTERED),
    ("234567-D",     "Pengangkutan Gua Musang Sdn. Bhd.",  "",                              TRADING_NO_EMAIL),
    ("345678-M",     "Syarikat Batik Lama (telah tutup)",  "batik@contoh.example",          CLOSED),
];

/// Everybody, as they are when the sample starts in `now`.
pub fn everybody(now: Month) -> Vec<Person> {
    let staff = STAFF.iter().map(|(id_no, name, ptj, email, standing)| {
        let person = person(Kind::Staff, (id_no, name, email), standing, now);
        Person {
            ptj: Some(ptj),
            ..person
        }
    });
    let suppliers = SUPPLIERS.iter().map(|(id_no, name, email, standing)| {
        person(Kind::Supplier, (id_no, name, email), standing, now)
    });
    staff.chain(suppliers).collect()
}

type Particulars = (&'static str, &'static str, &'static str);

fn person(
    kind: Kind,
    (id_no, name, email): Particulars,
    standing: &Standing,
    now: Month,
) -> Person {
    Person {
        reference: reference(kind, id_no),
        kind,
        name,
        ptj: None,
        email: (!email.is_empty()).then(|| email.to_owned()),
        active: standing.active,
        account: standing.account,
        payroll: standing.payroll,
        id_no,
        first_month: standing
            .months_in_service
            .map_or(Month::new(2001, 1), |months| now.before(months)),
        note: standing.note,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::civil::Date;

    use super::*;
    use crate::portal::simulator::person::Delivery;

    fn sample() -> Vec<Person> {
        everybody(Month::new(2026, 11))
    }

    fn is_identity_number(id_no: &str) -> bool {
        id_no.len() == 12 && id_no.chars().all(|digit| digit.is_ascii_digit())
    }

    #[test]
    fn the_first_two_are_ordinary_and_differ_in_who_mails() {
        let people = sample();
        assert_eq!(people[0].delivery(), Delivery::Portal);
        assert_eq!(people[1].delivery(), Delivery::Helpdesk);
        for person in &people[..2] {
            assert!(person.active && person.email.is_some());
            assert_eq!(
                (person.kind, person.account),
                (Kind::Staff, Account::Active)
            );
        }
    }

    #[test]
    fn about_a_third_is_mailed_by_the_helpdesk() {
        let people = sample();
        let helpdesk = people
            .iter()
            .filter(|person| person.delivery() == Delivery::Helpdesk);
        let share = helpdesk.count() * 100 / people.len();
        assert!((20..=45).contains(&share), "{share} %");
    }

    #[test]
    fn every_staff_number_is_well_formed_and_fits_the_name() {
        for person in sample().iter().filter(|person| person.kind == Kind::Staff) {
            let id_no = person.id_no;
            assert!(is_identity_number(id_no), "{id_no}");
            let number = |range: std::ops::Range<usize>| id_no[range].parse::<i16>().unwrap();
            let century = if number(0..2) > 30 { 1900 } else { 2000 };
            let (month, day) = (number(2..4) as i8, number(4..6) as i8);
            assert!(
                Date::new(century + number(0..2), month, day).is_ok(),
                "{id_no}"
            );
            assert_eq!(&id_no[6..8], "03", "{id_no}");
            let odd = number(11..12) % 2 == 1;
            if person.name.contains(" bin ") || person.name.contains(" A/L ") {
                assert!(odd, "{}", person.name);
            }
            if person.name.contains(" binti ") || person.name.contains(" A/P ") {
                assert!(!odd, "{}", person.name);
            }
        }
    }

    #[test]
    fn nobody_is_twice_in_one_role_and_one_is_in_both() {
        let people = sample();
        let references: HashSet<_> = people.iter().map(|person| &person.reference).collect();
        let numbers: HashSet<_> = people.iter().map(|person| person.id_no).collect();
        assert_eq!(references.len(), people.len());
        assert_eq!(numbers.len(), people.len() - 1);
    }

    #[test]
    fn every_address_is_on_a_domain_that_cannot_exist() {
        let domains = ["kelantan.example", "contoh.example", "mel.example"];
        for email in sample().into_iter().filter_map(|person| person.email) {
            let (_, domain) = email.split_once('@').unwrap();
            assert!(domains.contains(&domain), "{email}");
        }
    }
}
