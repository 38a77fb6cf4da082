package debezium

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
)

// Shorthands for keys by type.
func boolean(name, def string, importance config.Importance, doc string) config.Key {
	return config.Key{Name: name, Type: config.Boolean, Default: def, Importance: importance, Doc: doc}
}

func number(name string, t config.Type, def string, importance config.Importance, check func(any) error, doc string) config.Key {
	return config.Key{Name: name, Type: t, Default: def, Importance: importance, Check: check, Doc: doc}
}

func text(name, def string, importance config.Importance, doc string) config.Key {
	return config.Key{Name: name, Type: config.String, Default: def, Importance: importance, Doc: doc}
}

func class(name, def string, importance config.Importance, doc string) config.Key {
	return config.Key{Name: name, Type: config.Class, Default: def, Importance: importance, Doc: doc}
}

func list(name, def string, importance config.Importance, doc string) config.Key {
	return config.Key{Name: name, Type: config.List, Default: def, Importance: importance, Doc: doc}
}

// choice is text that is one of all.
func choice(name, def string, importance config.Importance, doc string, all ...string) config.Key {
	return config.Key{
		Name: name, Type: config.String, Default: def, Importance: importance, Doc: doc,
		Check: config.OneOf(all...), Recommended: all,
	}
}

// patterns is a list of regular expressions; Check looks at it as it was given, as commas may be
// escaped.
func patterns(name string, importance config.Importance, doc string) config.Key {
	return list(name, "", importance, doc)
}

func refused(k config.Key, why string) config.Key {
	k.Unsupported = why
	return k
}

func positive(v any) error { return atLeast(v, 1, "A positive, non-zero integer value is expected") }

func notNegative(v any) error { return atLeast(v, 0, "A non-negative integer is expected") }

func atLeast(v any, least int64, why string) error {
	if n, ok := v.(int64); ok && n < least {
		return errors.New(why)
	}
	return nil
}

var topicName = regexp.MustCompile(`^[a-zA-Z0-9_.\-]+$`)

func validTopic(v any) error {
	name, ok := v.(string)
	if !ok || topicName.MatchString(name) {
		return nil
	}
	return fmt.Errorf("%s has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)", name)
}

// validTopicOrEmpty allows for a name that is set to nothing.
func validTopicOrEmpty(v any) error {
	if v == "" {
		return nil
	}
	return validTopic(v)
}

// pairs checks a list of name=value.
func pairs(v any) error {
	all, _ := v.([]string)
	for _, pair := range all {
		if len(strings.Split(pair, "=")) != 2 {
			return errors.New("Name and value with = between are expected, for example: k1=v1,k2=v2") //nolint:staticcheck // shown as it is
		}
	}
	return nil
}

func operations(v any) error {
	all, _ := v.([]string)
	for _, op := range all {
		switch op {
		case "none":
			if len(all) > 1 {
				return errors.New("'none' cannot be specified with other skipped operation types")
			}
		case "r", "c", "u", "d", "t":
		default:
			return errors.New("Invalid operation") //nolint:staticcheck // Debezium's own words
		}
	}
	return nil
}
