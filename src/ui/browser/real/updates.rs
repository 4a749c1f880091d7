//! `/ws/updates`: one socket for the whole page, opened with the first listener, reopened when it breaks.
//!
//! A listener says where its topic left off whenever the socket opens, so nothing is missed in between.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{MessageEvent, WebSocket};

use crate::model::live::{ClientMessage, ServerMessage, Topic};

/// The first wait before opening again; doubles up to [`LONGEST_WAIT_MS`].
const FIRST_WAIT_MS: i32 = 500;
const LONGEST_WAIT_MS: i32 = 15_000;

#[derive(Clone)]
struct Listener {
    topic: Topic,
    after: Rc<dyn Fn() -> i64>,
    on: Rc<dyn Fn(ServerMessage)>,
}

#[derive(Default)]
struct Hub {
    listeners: BTreeMap<u32, Listener>,
    last_id: u32,
    socket: Option<WebSocket>,
    open: bool,
    wait_ms: i32,
    on_connection: Option<Rc<dyn Fn(bool)>>,
}

thread_local! {
    static HUB: RefCell<Hub> = RefCell::new(Hub { wait_ms: FIRST_WAIT_MS, ..Hub::default() });
}

/// Calls `on` with everything that the server says of `topic`, until [`unfollow_topic`]. `after` tells the number of the
/// newest update that the listener has seen, whenever the socket opens.
pub fn follow_topic(topic: Topic, after: Box<dyn Fn() -> i64>, on: Box<dyn Fn(ServerMessage)>) -> u32 {
    let (id, open, exists) = HUB.with_borrow_mut(|hub| {
        hub.last_id += 1;
        let listener = Listener { topic: topic.clone(), after: after.into(), on: on.into() };
        hub.listeners.insert(hub.last_id, listener);
        (hub.last_id, hub.open, hub.socket.is_some())
    });
    if open {
        subscribe(&[id]);
    } else if !exists {
        connect();
    }
    id
}

/// Forgets a listener, and its topic when it was the last.
pub fn unfollow_topic(id: u32) {
    let unsubscribe = HUB.with_borrow_mut(|hub| {
        let gone = hub.listeners.remove(&id)?;
        let last = hub.listeners.values().all(|other| other.topic != gone.topic);
        (last && hub.open).then_some(gone.topic)
    });
    if let Some(topic) = unsubscribe {
        say(&ClientMessage { unsubscribe: vec![topic], ..empty() });
    }
}

/// Calls `on` with whether the socket is open, at each change.
pub fn on_connection(on: Box<dyn Fn(bool)>) {
    HUB.with_borrow_mut(|hub| hub.on_connection = Some(on.into()));
}

fn empty() -> ClientMessage {
    ClientMessage { subscribe: Vec::new(), after: BTreeMap::new(), unsubscribe: Vec::new(), ping: None }
}

fn subscribe(ids: &[u32]) {
    let listeners: Vec<Listener> =
        HUB.with_borrow(|hub| ids.iter().filter_map(|id| hub.listeners.get(id).cloned()).collect());
    let mut message = empty();
    for listener in listeners {
        let seen = (listener.after)();
        // Two listeners of one topic resume where the one that is further behind left off.
        let after = message.after.entry(listener.topic.clone()).or_insert(seen);
        *after = seen.min(*after);
        if !message.subscribe.contains(&listener.topic) {
            message.subscribe.push(listener.topic);
        }
    }
    if !message.subscribe.is_empty() {
        say(&message);
    }
}

fn say(message: &ClientMessage) {
    if let Ok(text) = serde_json::to_string(message) {
        // A socket that breaks right now is reopened, and everything is subscribed again.
        let _ = HUB.with_borrow(|hub| hub.socket.as_ref().map(|socket| socket.send_with_str(&text)));
    }
}

fn connect() {
    let Some(location) = web_sys::window().map(|window| window.location()) else { return };
    let scheme = if location.protocol().is_ok_and(|p| p == "https:") { "wss" } else { "ws" };
    let Ok(socket) = WebSocket::new(&format!("{scheme}://{}/ws/updates", location.host().unwrap_or_default())) else {
        return;
    };
    let on_open = Closure::<dyn Fn()>::new(|| {
        let ids: Vec<u32> = HUB.with_borrow_mut(|hub| {
            hub.open = true;
            hub.wait_ms = FIRST_WAIT_MS;
            hub.listeners.keys().copied().collect()
        });
        tell_connection(true);
        subscribe(&ids);
    });
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(|event: MessageEvent| {
        if let Some(message) = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok()) {
            deliver(&message);
        }
    });
    let on_close = Closure::<dyn Fn()>::new(|| {
        let (wanted, wait_ms) = HUB.with_borrow_mut(|hub| {
            hub.open = false;
            hub.socket = None;
            let wait_ms = hub.wait_ms;
            hub.wait_ms = (wait_ms * 2).min(LONGEST_WAIT_MS);
            (!hub.listeners.is_empty(), wait_ms)
        });
        if wanted {
            // Also when it never opened: the server may have gone before.
            tell_connection(false);
            later(wait_ms);
        }
    });
    socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
    socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
    // They live as long as the page; a broken socket is rare enough not to count them.
    on_open.forget();
    on_message.forget();
    on_close.forget();
    HUB.with_borrow_mut(|hub| hub.socket = Some(socket));
}

fn later(wait_ms: i32) {
    let again = Closure::once_into_js(|| {
        let wanted = HUB.with_borrow(|hub| hub.socket.is_none() && !hub.listeners.is_empty());
        if wanted {
            connect();
        }
    });
    if let Some(window) = web_sys::window() {
        let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(again.unchecked_ref(), wait_ms);
    }
}

fn tell_connection(open: bool) {
    if let Some(on) = HUB.with_borrow(|hub| hub.on_connection.clone()) {
        on(open);
    }
}

fn deliver(message: &ServerMessage) {
    let topic = match message {
        ServerMessage::Snapshot { snapshot, .. } => snapshot,
        ServerMessage::Update(update) => &update.topic,
        ServerMessage::Pong { .. } | ServerMessage::Error { .. } => return,
    };
    // Collected first: a listener may follow or unfollow while it is called.
    let listeners: Vec<Rc<dyn Fn(ServerMessage)>> =
        HUB.with_borrow(|hub| hub.listeners.values().filter(|l| l.topic == *topic).map(|l| Rc::clone(&l.on)).collect());
    for on in listeners {
        on(message.clone());
    }
}
