{{ superseded_versions('customers', ['key_level']) }}
