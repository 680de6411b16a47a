SELECT apply_rights()
