package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// Flags are the settings as flags of a command: a struct that is made from the table.
type Flags struct{ fields reflect.Value }

// given is a flag's text, where it was given.
type given struct {
	text string
	set  bool
}

// Decode implements kong's MapperValue.
func (g *given) Decode(c *kong.DecodeContext) error {
	token, err := c.Scan.PopValue("value")
	if err != nil {
		return err
	}
	g.text, g.set = fmt.Sprint(token.Value), true // the last one counts
	return nil
}

// listed is a flag that may be given more than once.
type listed struct{ given }

// Decode implements kong's MapperValue.
func (l *listed) Decode(c *kong.DecodeContext) error {
	before := l.given
	if err := l.given.Decode(c); err != nil {
		return err
	}
	if before.set {
		l.text = before.text + "," + l.text
	}
	return nil
}

// toggle is a flag that may stand without a value.
type toggle struct{ given }

// IsBool implements kong's BoolMapperValue.
func (*toggle) IsBool() bool { return true }

// Decode implements kong's MapperValue.
func (t *toggle) Decode(c *kong.DecodeContext) error {
	t.text, t.set = "true", true
	if c.Scan.Peek().Type == kong.FlagValueToken {
		t.text = fmt.Sprint(c.Scan.Pop().Value)
	}
	return nil
}

// NewFlags makes a fresh set, for kong.Plugins.
func NewFlags() *Flags {
	var fields []reflect.StructField
	for _, s := range Table {
		if s.FlagName() == "" {
			continue
		}
		kind := reflect.TypeFor[given]()
		switch s.field(&Settings{}).(type) {
		case *bool:
			kind = reflect.TypeFor[toggle]()
		case *[]string:
			kind = reflect.TypeFor[listed]()
		}
		fields = append(fields, reflect.StructField{
			Name: fmt.Sprintf("F%d", len(fields)), Type: kind, Tag: s.tag(),
		})
	}
	return &Flags{reflect.New(reflect.StructOf(fields))}
}

func (s Setting) tag() reflect.StructTag {
	help := s.Help
	if s.Default != "" && s.Default != "false" {
		help = strings.TrimSuffix(help, ".") + "; default " + s.Default + "."
	}
	tag := fmt.Sprintf(`name:%q help:%q`, s.FlagName(), help)
	if s.Placeholder != "" {
		tag += fmt.Sprintf(` placeholder:%q`, s.Placeholder)
	}
	return reflect.StructTag(tag)
}

// Plugins hands the flags to kong.
func (f *Flags) Plugins() kong.Plugins { return kong.Plugins{f.fields.Interface()} }

// Given are the flags that were given, by name.
func (f *Flags) Given() map[string]string {
	all := map[string]string{}
	i := 0
	for _, s := range Table {
		if s.FlagName() == "" {
			continue
		}
		var g given
		switch field := f.fields.Elem().Field(i).Addr().Interface().(type) {
		case *given:
			g = *field
		case *toggle:
			g = field.given
		case *listed:
			g = field.given
		}
		if g.set {
			all[s.FlagName()] = g.text
		}
		i++
	}
	return all
}
