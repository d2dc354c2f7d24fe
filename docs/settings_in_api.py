"""For the site's API pages: what `setting(default, meaning)` says of a field documents it."""

import ast

import griffe


class SettingsInApi(griffe.Extension):
    """Fields of settings (naomi_jax/fields.py) show their default and their meaning."""

    def on_attribute_instance(self, *, attr, **others):
        """A field's value becomes its default, and its meaning its docstring."""
        del others
        call = attr.value
        if not isinstance(call, griffe.ExprCall) or str(call.function) != "setting":
            return
        default, meaning = call.arguments[:2]
        text = ast.literal_eval(str(meaning))
        attr.docstring = griffe.Docstring(text, parent=attr, lineno=attr.lineno)
        attr.value = None if str(default).endswith("MISSING") else default
