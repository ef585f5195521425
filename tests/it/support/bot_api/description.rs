//! The Bot API's own description, read by the machine: every request, answer and update is held against it.
//! It knows shapes, not limits; those stand beside the methods.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

/// Names the folder that has the description at `telegram/api.json`.
const FOLDER: &str = "TANYA_EVAL_DATA";

/// The description, where there is one.
pub static DESCRIPTION: LazyLock<Option<Description>> = LazyLock::new(Description::load);

/// Methods and types, as `api.json` lists them.
pub struct Description {
    api: Value,
    /// From the name in lower case to the name as the Bot API spells it.
    methods: BTreeMap<String, String>,
}

impl Description {
    fn load() -> Option<Self> {
        let Some(folder) = std::env::var_os(FOLDER) else {
            eprintln!(
                "skipped: {FOLDER} is not set, requests are not checked against the Bot API's description"
            );
            return None;
        };
        let path = Path::new(&folder).join("telegram/api.json");
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{FOLDER} is set, but {}: {error}", path.display()));
        let api: Value = serde_json::from_str(&text).unwrap();
        let names = api["methods"].as_object().unwrap().keys();
        let methods = names.map(|name| (name.to_lowercase(), name.clone()));
        Some(Self {
            methods: methods.collect(),
            api,
        })
    }

    /// A method as the Bot API spells it, whatever the case; none if it has no such method.
    pub fn method(&self, name: &str) -> Option<&str> {
        self.methods.get(&name.to_lowercase()).map(String::as_str)
    }

    /// What is wrong with the parameters of a method.
    pub fn request(&self, method: &str, params: &Value) -> Vec<String> {
        self.object(params, &self.api["methods"][method], method)
    }

    /// What is wrong with the result of a method.
    pub fn answer(&self, method: &str, result: &Value) -> Vec<String> {
        // Updates are looked at when they are given; some are wrong on purpose.
        if method.eq_ignore_ascii_case("getUpdates") {
            return Vec::new();
        }
        let returns = strings(&self.api["methods"][method]["returns"]);
        self.any(result, &returns, &format!("our answer to {method}"))
    }

    /// What is wrong with an update.
    pub fn update(&self, update: &Value) -> Vec<String> {
        let mut findings = self.one(update, "Update", "update");
        let kinds = update.as_object().map_or(0, |fields| fields.len());
        if kinds > 2 {
            findings.push(format!("update: {} kinds in one", kinds - 1));
        }
        findings
    }

    /// What is wrong with a value that may be of several types, by the type that it is nearest to.
    fn any(&self, value: &Value, names: &[&str], path: &str) -> Vec<String> {
        let mut nearest: Vec<&str> = names.to_vec();
        nearest.retain(|name| self.tags_fit(value, name));
        let names = if nearest.is_empty() { names } else { &nearest };
        let findings = names.iter().map(|name| self.one(value, name, path));
        findings.min_by_key(Vec::len).unwrap_or_default()
    }

    fn one(&self, value: &Value, name: &str, path: &str) -> Vec<String> {
        if let (Some(item), Some(items)) = (name.strip_prefix("Array of "), value.as_array()) {
            let items = items.iter().enumerate();
            return items
                .flat_map(|(place, value)| self.one(value, item, &format!("{path}[{place}]")))
                .collect();
        }
        let right = match name {
            "Integer" => value.is_i64(),
            "Float" => value.is_number(),
            "Boolean" => value.is_boolean(),
            "String" | "InputFile" => value.is_string(),
            _ if name.starts_with("Array of ") => false,
            _ => {
                let shape = &self.api["types"][name];
                assert!(shape.is_object(), "the description has no type {name}");
                if shape["subtypes"].is_array() {
                    return self.any(value, &strings(&shape["subtypes"]), path);
                }
                return self.object(value, shape, path);
            }
        };
        if right {
            return Vec::new();
        }
        vec![format!("{path}: {value} is no {name}")]
    }

    fn object(&self, value: &Value, shape: &Value, path: &str) -> Vec<String> {
        let Some(object) = value.as_object() else {
            return vec![format!("{path}: {value} is no {}", shape["name"])];
        };
        let mut findings = Vec::new();
        for name in object.keys() {
            if !fields(shape).any(|field| field["name"] == **name) {
                findings.push(format!("{path}: {} has no {name:?}", shape["name"]));
            }
        }
        for field in fields(shape) {
            let name = field["name"].as_str().unwrap();
            let Some(value) = object.get(name) else {
                if field["required"] == true {
                    findings.push(format!("{path}: {name:?} is missing"));
                }
                continue;
            };
            let path = format!("{path}.{name}");
            if !tag_fits(value, field) {
                findings.push(format!("{path}: {value} is not among what it may be"));
            }
            findings.extend(self.any(value, &strings(&field["types"]), &path));
        }
        findings
    }

    /// Whether an object names itself as this type does, where types are told apart by a tag.
    fn tags_fit(&self, value: &Value, name: &str) -> bool {
        let shape = &self.api["types"][name];
        value.is_object()
            && fields(shape).all(|field| tag_fits(&value[field["name"].as_str().unwrap()], field))
    }
}

fn fields(shape: &Value) -> impl Iterator<Item = &Value> {
    shape["fields"].as_array().into_iter().flatten()
}

fn strings(list: &Value) -> Vec<&str> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

/// The description gives the values of a tag in prose only: `always "x"`, `must be x`, `can be "x" or "y"`.
fn tag_fits(value: &Value, field: &Value) -> bool {
    let tag = ["type", "status", "source"].contains(&field["name"].as_str().unwrap());
    let Some(prose) = field["description"].as_str().filter(|_| tag) else {
        return true;
    };
    let quoted = || prose.split('"').skip(1).step_by(2);
    if ["always \"", "can be ", "one of "]
        .iter()
        .any(|cue| prose.contains(cue))
    {
        return quoted().next().is_none() || quoted().any(|word| value == word);
    }
    match prose.split_once("must be ") {
        Some((_, word)) => value == word,
        None => true,
    }
}
