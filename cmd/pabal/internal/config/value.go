package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/mask"
)

// Bytes is a size; its text may end in KiB, MiB, GiB or TiB.
type Bytes int64

var units = []struct {
	name string
	size int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

func (b Bytes) String() string {
	for _, u := range units {
		if b > 0 && int64(b)%u.size == 0 && u.size > 1 {
			return strconv.FormatInt(int64(b)/u.size, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

func parseBytes(text string) (Bytes, error) {
	size := int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			text, size = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/size {
		return 0, errors.New("it is no size, such as 512MiB")
	}
	return Bytes(n * size), nil
}

// set stores one value, or the values of a list; the error does not repeat them.
func (s Setting) set(in *Settings, texts []string) error {
	switch p := s.field(in).(type) {
	case *[]string:
		*p = texts
		return nil
	case *[]mask.Rule:
		return errors.New("it is a list of rules")
	default:
		if len(texts) != 1 {
			return errors.New("it is one value, not a list")
		}
		return s.setOne(p, texts[0])
	}
}

func (s Setting) setOne(field any, text string) (err error) {
	if s.Enum != nil && text != "" {
		i := slices.IndexFunc(s.Enum, func(allowed string) bool { return strings.EqualFold(allowed, text) })
		if i < 0 {
			return errors.New("it is one of " + strings.Join(s.Enum, ", "))
		}
		text = s.Enum[i]
	}
	switch p := field.(type) {
	case *string:
		*p = text
	case *bool:
		if *p, err = strconv.ParseBool(text); err != nil {
			return errors.New("it is true or false")
		}
	case *int64:
		if *p, err = strconv.ParseInt(text, 10, 64); err != nil || *p < 0 {
			return errors.New("it is a number from 0 on")
		}
	case *Bytes:
		*p, err = parseBytes(text)
	case *time.Duration:
		if *p, err = time.ParseDuration(text); err != nil || *p < 0 {
			return errors.New("it is a time such as 30s, 15m or 24h")
		}
	case *slog.Level:
		err = p.UnmarshalText([]byte(text))
	default:
		panic(fmt.Sprintf("%s has a type without a text: %T", s.Key, field))
	}
	return err
}

// split is a list's text in flags and in the environment.
func (s Setting) split(text string) []string {
	if _, list := s.field(&Settings{}).(*[]string); !list {
		return []string{text}
	}
	var all []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// Text is the value for people; a secret is only said to be set.
func (s Setting) Text(in *Settings) string {
	value := s.Value(in)
	switch v := value.(type) {
	case string:
		return v
	case []string:
		return strings.Join(v, ",")
	case []mask.Rule:
		if len(v) == 0 {
			return ""
		}
		data, _ := json.Marshal(v) // strings and booleans only
		return string(data)
	}
	return fmt.Sprint(value)
}

// hidden stands for a secret.
const hidden = "(set)"

// Value is the value for JSON: a string, number, boolean or list.
func (s Setting) Value(in *Settings) any {
	switch p := s.field(in).(type) {
	case *string:
		if s.Secret && *p != "" {
			return hidden
		}
		if s.Shown != nil && *p != "" {
			return s.Shown(*p)
		}
		return *p
	case *[]string:
		return append([]string{}, *p...)
	case *[]mask.Rule:
		return append([]mask.Rule{}, *p...)
	case *bool:
		return *p
	case *int64:
		return *p
	case *Bytes:
		return p.String()
	case *time.Duration:
		return trimDuration(*p)
	case *slog.Level:
		return p.String()
	default:
		panic(fmt.Sprintf("%s has a type without a value: %T", s.Key, p))
	}
}

// trimDuration writes 24h for 24h0m0s.
func trimDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
