package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// texts is a configuration: text, or what Kafka Connect takes for it, numbers and booleans.
type texts map[string]string

// UnmarshalJSON reads an object.
func (t *texts) UnmarshalJSON(b []byte) error {
	var changes textChanges
	if err := json.Unmarshal(b, &changes); err != nil {
		return err
	}
	*t = make(texts, len(changes))
	for key, value := range changes {
		if value == nil {
			return fmt.Errorf("%s is null: leave it out", key)
		}
		(*t)[key] = *value
	}
	return nil
}

// textChanges are changes of a configuration; null removes a key.
type textChanges map[string]*string

// UnmarshalJSON reads an object.
func (t *textChanges) UnmarshalJSON(b []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	*t = make(textChanges, len(all))
	for key, raw := range all {
		value, err := textOf(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		(*t)[key] = value
	}
	return nil
}

func textOf(raw json.RawMessage) (*string, error) {
	raw = bytes.TrimSpace(raw)
	text := string(raw)
	switch raw[0] {
	case 'n':
		return nil, nil
	case '"':
		err := json.Unmarshal(raw, &text)
		return &text, err
	case '{', '[':
		return nil, fmt.Errorf("it is text, not %s", text)
	}
	return &text, nil
}
