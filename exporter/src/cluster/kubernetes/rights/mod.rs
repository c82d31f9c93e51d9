//! What a program has to be allowed on a cluster: single needs, and the rules of a role that grant them. Pure.
//!
//! Whoever sends requests tells which: this folder for what all of the program shares ([`own`]), each fault for
//! itself. From the same needs come the roles that are applied before a run ([`grant`]) and the questions that are
//! asked at its beginning ([`review`]).

pub mod grant;
pub mod own;
mod review;

use std::fmt;

pub use self::review::AskError;

/// Where something is to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In the namespace of the service.
    Namespace,
    /// In all namespaces, or for what belongs to none.
    Cluster,
}

/// One verb on one kind of object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Where.
    pub scope: Scope,
    /// The API group; empty for the core.
    pub group: String,
    /// The kind's plural, with the subresource behind a slash where there is one.
    pub resource: String,
    /// What is done to it.
    pub verb: &'static str,
    /// The only object that is meant; `None`: any.
    pub name: Option<&'static str>,
    /// What for, in words.
    pub purpose: &'static str,
}

/// Each of `verbs` on each of `resources`.
pub fn needs(
    scope: Scope,
    group: &str,
    resources: &[&str],
    verbs: &[&'static str],
    purpose: &'static str,
) -> Vec<Need> {
    let each = |resource: &&str| {
        let (group, resource) = (group.to_owned(), (*resource).to_owned());
        let one = Need { scope, group, resource, verb: "", name: None, purpose };
        verbs.iter().map(move |&verb| Need { verb, ..one.clone() })
    };
    resources.iter().flat_map(each).collect()
}

/// [`needs`] for the one object of this name. The name of what is made is not known when that is allowed, so it
/// does not count for `create`.
pub fn needs_of(
    name: &'static str,
    group: &str,
    resource: &str,
    verbs: &[&'static str],
    purpose: &'static str,
) -> Vec<Need> {
    let named = |need: Need| Need { name: (need.verb != "create").then_some(name), ..need };
    needs(Scope::Namespace, group, &[resource], verbs, purpose).into_iter().map(named).collect()
}

impl Need {
    /// Whether the API server is asked the same about both.
    fn is_question_of(&self, other: &Self) -> bool {
        (self.scope, &self.group, &self.resource, self.verb, self.name)
            == (other.scope, &other.group, &other.resource, other.verb, other.name)
    }

    /// Whether whoever is allowed this is allowed `other` by that.
    fn covers(&self, other: &Self) -> bool {
        self.is_question_of(&Self { name: self.name, ..other.clone() })
            && (self.name.is_none() || self.name == other.name)
    }
}

/// One rule of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The API group.
    pub group: String,
    /// The kinds.
    pub resources: Vec<String>,
    /// What may be done to each.
    pub verbs: Vec<&'static str>,
    /// The only object that is meant.
    pub name: Option<&'static str>,
    /// What for: whoever asked for it first, and then others whom it serves too.
    pub purposes: Vec<&'static str>,
}

/// The rules that grant those of `needs` that are of `scope`, and nothing else.
pub fn rules(needs: &[Need], scope: Scope) -> Vec<Rule> {
    let mut granted: Vec<(Need, Vec<&'static str>)> = Vec::new();
    for need in needs.iter().filter(|need| need.scope == scope) {
        match granted.iter_mut().find(|(earlier, _)| earlier.covers(need)) {
            Some((_, purposes)) if purposes.contains(&need.purpose) => {}
            Some((_, purposes)) => purposes.push(need.purpose),
            None => granted.push((need.clone(), vec![need.purpose])),
        }
    }
    let mut of_one_kind: Vec<Rule> = Vec::new();
    for (need, purposes) in granted {
        let rule = Rule {
            group: need.group,
            resources: vec![need.resource],
            verbs: vec![need.verb],
            name: need.name,
            purposes,
        };
        match of_one_kind.iter_mut().find(|it| it.is_like(&rule) && it.resources == rule.resources) {
            Some(earlier) => earlier.take_in(rule),
            None => of_one_kind.push(rule),
        }
    }
    let mut rules: Vec<Rule> = Vec::new();
    for rule in of_one_kind {
        match rules.iter_mut().find(|it| it.is_like(&rule) && it.verbs == rule.verbs) {
            Some(earlier) => earlier.take_in(rule),
            None => rules.push(rule),
        }
    }
    rules
}

impl Rule {
    /// Whether the two differ in kinds or verbs alone, and have the same first purpose.
    fn is_like(&self, other: &Self) -> bool {
        (&self.group, self.name, self.purposes.first()) == (&other.group, other.name, other.purposes.first())
    }

    fn take_in(&mut self, other: Self) {
        add_new(&mut self.resources, other.resources);
        add_new(&mut self.verbs, other.verbs);
        add_new(&mut self.purposes, other.purposes);
    }
}

fn add_new<T: PartialEq>(those: &mut Vec<T>, others: Vec<T>) {
    for other in others {
        if !those.contains(&other) {
            those.push(other);
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verbs.join(", "), self.resources.join(", "))?;
        if !self.group.is_empty() {
            write!(f, " of {}", self.group)?;
        }
        if let Some(name) = self.name {
            write!(f, " (the one named {name})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Scope::{Cluster, Namespace};
    use super::*;

    fn shown(needs: &[Need], scope: Scope) -> Vec<String> {
        rules(needs, scope).iter().map(|rule| format!("{rule}: {}", rule.purposes.join("; "))).collect()
    }

    #[test]
    fn needs_become_few_rules_that_grant_nothing_else() {
        let table = [
            // Kinds of one group with the same verbs.
            (
                needs(Namespace, "apps", &["a", "b"], &["list", "watch"], "x"),
                vec!["list, watch a, b of apps: x"],
            ),
            // Of two groups.
            (
                [needs(Namespace, "", &["a"], &["get"], "x"), needs(Namespace, "g", &["a"], &["get"], "x")]
                    .concat(),
                vec!["get a: x", "get a of g: x"],
            ),
            // One kind of two has another verb.
            (
                [
                    needs(Namespace, "", &["a", "b"], &["get"], "x"),
                    needs(Namespace, "", &["a"], &["list"], "x"),
                ]
                .concat(),
                vec!["get, list a: x", "get b: x"],
            ),
            // Whatever was granted before is not granted again, but serves another too.
            (
                [
                    needs(Namespace, "", &["a"], &["get"], "x"),
                    needs(Namespace, "", &["a"], &["get", "delete"], "y"),
                ]
                .concat(),
                vec!["get a: x; y", "delete a: y"],
            ),
            (
                [
                    needs(Namespace, "", &["a"], &["get"], "x"),
                    needs_of("one", "", "a", &["get", "create"], "y"),
                ]
                .concat(),
                vec!["get a: x; y", "create a: y"],
            ),
            (
                needs_of("one", "g", "a", &["create", "get", "update"], "x"),
                vec!["create a of g: x", "get, update a of g (the one named one): x"],
            ),
            // One of all namespaces is another matter.
            (
                [needs(Cluster, "", &["a"], &["get"], "x"), needs(Namespace, "", &["a"], &["get"], "y")]
                    .concat(),
                vec!["get a: y"],
            ),
        ];
        for (needs, expected) in table {
            assert_eq!(shown(&needs, Namespace), expected);
        }
    }

    #[test]
    fn a_name_covers_only_itself() {
        let needs = [
            needs_of("one", "", "a", &["get"], "x"),
            needs_of("two", "", "a", &["get"], "y"),
            needs(Namespace, "", &["a"], &["get"], "z"),
        ]
        .concat();
        let expected = ["get a (the one named one): x", "get a (the one named two): y", "get a: z"];
        assert_eq!(shown(&needs, Namespace), expected);
    }
}
