package mongodb

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// parseDocument reads any dialect of Extended JSON that MongoDB's source writes.
func parseDocument(text string) (bson.D, error) {
	var doc bson.D
	if err := bson.UnmarshalExtJSON([]byte(quoteSpecial(text)), false, &doc); err != nil {
		return nil, fmt.Errorf("%.100q is no document in Extended JSON: %w", text, err)
	}
	return doc, oldForms(doc)
}

// quoteSpecial makes Extended JSON of version 2 of numbers that JSON does not have and version 1
// writes as they are.
func quoteSpecial(text string) string {
	if !strings.Contains(text, "NaN") && !strings.Contains(text, "Infinity") {
		return text
	}
	var b strings.Builder
	for quoted := false; text != ""; {
		if !quoted {
			if name := special(text); name != "" {
				b.WriteString(`{"$numberDouble":"` + name + `"}`)
				text = text[len(name):]
				continue
			}
		}
		n := 1
		switch {
		case text[0] == '"':
			quoted = !quoted
		case text[0] == '\\' && len(text) > 1:
			n = 2
		}
		b.WriteString(text[:n])
		text = text[n:]
	}
	return b.String()
}

func special(text string) string {
	for _, name := range []string{"NaN", "Infinity", "-Infinity"} {
		if strings.HasPrefix(text, name) {
			return name
		}
	}
	return ""
}

// parseID of a key.
func parseID(text string) (any, error) {
	doc, err := parseDocument(`{"_id": ` + text + `}`)
	if err != nil || len(doc) != 1 {
		return nil, fmt.Errorf("the key's id %.100q is no value in Extended JSON", text)
	}
	return doc[0].Value, nil
}

// oldForms puts values in place of documents that stand for them in version 1, as far as the
// driver leaves them.
func oldForms(doc bson.D) error {
	for i := range doc {
		var err error
		if doc[i].Value, err = oldForm(doc[i].Value); err != nil {
			return fmt.Errorf("%s: %w", doc[i].Key, err)
		}
	}
	return nil
}

func oldForm(v any) (any, error) {
	switch v := v.(type) {
	case bson.A:
		for i := range v {
			var err error
			if v[i], err = oldForm(v[i]); err != nil {
				return nil, err
			}
		}
	case bson.D:
		if len(v) == 2 {
			if value, ok, err := oldPair(v[0], v[1]); ok || err != nil {
				return value, err
			}
		}
		return v, oldForms(v)
	}
	return v, nil
}

func oldPair(a, b bson.E) (value any, ok bool, err error) {
	first, isText := a.Value.(string)
	second, isText2 := b.Value.(string)
	switch {
	case a.Key == "$regex" && b.Key == "$options" && isText && isText2:
		return bson.Regex{Pattern: first, Options: second}, true, nil
	case a.Key == "$binary" && b.Key == "$type" && isText && isText2:
		content, err := base64.StdEncoding.DecodeString(first)
		subtype, err2 := hex.DecodeString(second)
		if err != nil || err2 != nil || len(subtype) != 1 {
			return nil, false, fmt.Errorf("%q of type %q is no binary data", first, second)
		}
		return bson.Binary{Subtype: subtype[0], Data: content}, true, nil
	case a.Key == "$ref" && b.Key == "$id" && isText:
		if id, ok := b.Value.(bson.ObjectID); ok {
			return bson.DBPointer{DB: first, Pointer: id}, true, nil
		}
	}
	return nil, false, nil
}
