"""The field's words as types. Import them from the module that defines them."""
