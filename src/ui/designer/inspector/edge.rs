//! A thread: where it leads, and its own condition.

use leptos::prelude::*;

use super::Close;
use super::expression::ExpressionText;
use crate::ui::components::{Button, ButtonVariant};
use crate::ui::designer::document::EdgeKey;
use crate::ui::designer::editor::use_editor;
use crate::ui::designer::{action, keys};

/// A thread.
#[component]
pub fn EdgePanel(key: EdgeKey) -> impl IntoView {
    let editor = use_editor();
    let thread = editor.thread(&key)?;
    let names = Memo::new(move |_| {
        let edge = thread.read().edge.clone();
        let label = |id: &str| {
            editor.with(|document| document.graph.step(id).map_or_else(|| id.to_owned(), |s| s.label().to_owned()))
        };
        (label(&edge.from), edge.port, label(&edge.to))
    });
    let when = Signal::derive(move || thread.read().edge.when.clone().unwrap_or_default());
    let from = StoredValue::new(thread.with_untracked(|thread| thread.edge.from.clone()));
    let set = Callback::new(move |text: String| editor.act(|document| action::set_when(document, &key, &text)));
    Some(view! {
        <div class="pane-head">
            <h2>"Edge"</h2>
            <div class="actions"><Close /></div>
        </div>
        <div class="pane-body">
            <dl class="pairs">
                <dt>"From"</dt>
                <dd>{move || names.get().0}</dd>
                <dt>"Port"</dt>
                <dd><code>{move || names.get().1}</code></dd>
                <dt>"To"</dt>
                <dd>{move || names.get().2}</dd>
            </dl>
            <fieldset class="plain-fields" disabled=!editor.may_edit>
                <div class="field expression-field">
                    <label for="edge-when">"Only when"<span class="aside">"expression, optional"</span></label>
                    <ExpressionText
                        id="edge-when".to_owned()
                        step=Some(from.get_value())
                        text=when
                        set
                        lines=2
                        bare=true
                        placeholder="steps.scan.output.syntax_errors > 0"
                    />
                    <span class="hint" id="edge-when-notes">"When it does not hold, the edge is skipped although its port was chosen."</span>
                </div>
            </fieldset>
            {editor.may_edit.then(|| {
                view! {
                    <div class="form-actions">
                        <Button label="Add a step into it" icon="plus" keys="A" on_press=move |()| keys::add(editor) />
                        <Button
                            label="Delete"
                            icon="trash"
                            keys="Del"
                            variant=ButtonVariant::Danger
                            on_press=move |()| keys::delete(editor)
                        />
                    </div>
                }
            })}
        </div>
    })
}
