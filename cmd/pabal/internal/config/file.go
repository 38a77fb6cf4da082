package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// reader stores what a YAML document says. It goes on after an error, so that all
// are told at once.
type reader struct {
	name string // of the file, for people
	into *Settings
	at   map[string]Origin
	errs []error
}

// readFile reads a document; unknown keys are errors.
func readFile(name string, data []byte, into *Settings, at map[string]Origin) error {
	r := &reader{name: name, into: into, at: at}
	root, err := parse(data)
	if err != nil {
		var at interface {
			GetToken() *token.Token
			GetMessage() string
		}
		if errors.As(err, &at) && at.GetToken() != nil {
			return fmt.Errorf("%s:%d: %s", name, at.GetToken().Position.Line, at.GetMessage())
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	if root != nil {
		r.section(root, "")
	}
	return errors.Join(r.errs...)
}

// parse returns the document's content, nil where there is none.
func parse(data []byte) (ast.Node, error) {
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, err
	}
	var root ast.Node
	for _, doc := range f.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.NullType || doc.Body.Type() == ast.CommentType:
		case root != nil:
			return nil, errors.New("it has more than one document")
		default:
			root = doc.Body
		}
	}
	return root, nil
}

func (r *reader) fail(n ast.Node, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s:%d: %s", r.name, line(n), fmt.Sprintf(format, args...)))
}

func line(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// section reads the keys under a prefix, "" for the document's.
func (r *reader) section(n ast.Node, prefix string) {
	values, ok := n.(ast.MapNode)
	if !ok || n.Type() == ast.AliasType {
		r.fail(n, "expected keys%s, one a line: `key: value`", in(prefix))
		return
	}
	for it := values.MapRange(); it.Next(); {
		name, ok := scalar(it.Key())
		key := prefix + name
		setting, known := find(key)
		switch {
		case !ok:
			r.fail(it.Key(), "this kind of key is not known here")
		case known:
			r.setting(setting, it.KeyValue())
		case isSection(key):
			if it.Value().Type() != ast.NullType {
				r.section(it.Value(), key+".")
			}
		default:
			r.unknown(it.Key(), prefix, name)
		}
	}
}

func in(prefix string) string {
	if prefix == "" {
		return ""
	}
	return " of " + strings.TrimSuffix(prefix, ".")
}

func isSection(key string) bool {
	return slices.ContainsFunc(Table, func(s Setting) bool { return strings.HasPrefix(s.Key, key+".") })
}

// unknown names the nearest of the keys at that place, or else the settings
// elsewhere that end like it.
func (r *reader) unknown(n ast.Node, prefix, name string) {
	var here, ends []string
	for _, s := range Table {
		if rest, ok := strings.CutPrefix(s.Key, prefix); ok {
			first, _, _ := strings.Cut(rest, ".")
			here = append(here, first)
		}
		if s.Key == name || strings.HasSuffix(s.Key, "."+name) {
			ends = append(ends, s.Key)
		}
	}
	hint := ""
	if near := nearest(name, here); near != "" {
		hint = "; did you mean " + prefix + near + "?"
	} else if len(ends) > 0 {
		hint = "; did you mean " + strings.Join(ends, " or ") + "?"
	}
	r.fail(n, "unknown key %s%s", prefix+name, hint)
}

func (r *reader) setting(s Setting, kv *ast.MappingValueNode) {
	n := kv.Value
	if n.Type() == ast.NullType {
		return
	}
	if s.Key == rulesKey {
		r.into.Mask.Rules = r.rules(n)
	} else if texts, ok := r.texts(s, n); !ok {
		return
	} else if err := s.set(r.into, texts); err != nil {
		r.fail(n, "%s: %v", s.Key, err)
		return
	}
	r.at[s.Key] = Origin{File, fmt.Sprintf("%s:%d", r.name, line(kv.Key))}
}

// texts are a scalar's or a list's.
func (r *reader) texts(s Setting, n ast.Node) ([]string, bool) {
	list, isList := n.(*ast.SequenceNode)
	if !isList {
		text, ok := scalar(n)
		if !ok {
			r.fail(n, "%s: expected a plain value", s.Key)
			return nil, false
		}
		return s.split(text), true
	}
	texts := []string{}
	for _, element := range list.Values {
		text, ok := scalar(element)
		if !ok {
			r.fail(element, "%s: expected a plain value in the list; put it into quotes", s.Key)
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

// scalar is the text of a plain value, as it was written.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}
