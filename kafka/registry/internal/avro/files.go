package avro

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// File is the text of a schema, and the name that errors call it by.
type File struct{ Name, Text string }

// ParseFiles reads schemas that may name one another's types and those of known ones, in any order.
// What it returns has the order of the files. A type that none of them defines is an error, as are files
// that need each other. The limits are not for those that are known.
func ParseFiles(files, known []File, limits tree.Limits) ([]*Schema, error) {
	b := &bundle{definers: map[string][]int{}}
	for _, f := range files {
		if err := b.add(f, limits, false); err != nil {
			return nil, err
		}
	}
	for _, f := range known {
		if err := b.add(f, tree.Limits{}, true); err != nil {
			return nil, err
		}
	}
	out := make([]*Schema, len(files))
	for i, f := range files {
		refs, err := b.needs(i)
		if err != nil {
			return nil, err
		}
		texts := make([]string, len(refs))
		for j, ref := range refs {
			texts[j] = b.files[ref].Text
		}
		if out[i], err = Parse(f.Text, texts, limits); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return out, nil
}

type bundle struct {
	files    []File
	names    []fileNames
	definers map[string][]int // by full name
}

// add a file, but not one that is known and says what another one says: it only has two names.
func (b *bundle) add(f File, limits tree.Limits, known bool) error {
	v, err := parseText(f.Text, limits)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	names := fileNames{value: v, defines: map[string]bool{}}
	if known && slices.ContainsFunc(b.names, func(n fileNames) bool { return n.value.Equal(v) }) {
		return nil
	}
	names.visit(v, "")
	for n := range names.defines {
		b.definers[n] = append(b.definers[n], len(b.files))
	}
	b.files, b.names = append(b.files, f), append(b.names, names)
	return nil
}

// needs are the files that one is to be read after, in the order to read them.
func (b *bundle) needs(of int) ([]int, error) {
	var order, path []int
	var visit func(int) error
	visit = func(i int) error {
		if slices.Contains(order, i) {
			return nil
		}
		if at := slices.Index(path, i); at >= 0 {
			return fmt.Errorf("files need each other's types, and none can be read first: %s", b.chain(append(path[at:], i)))
		}
		path = append(path, i)
		for _, m := range b.names[i].mentions {
			next, err := b.definer(i, m)
			if err != nil {
				return err
			}
			if next != i {
				if err := visit(next); err != nil {
					return err
				}
			}
		}
		path = path[:len(path)-1]
		order = append(order, i)
		return nil
	}
	if err := visit(of); err != nil {
		return nil, err
	}
	return order[:len(order)-1], nil
}

func (b *bundle) chain(path []int) string {
	names := make([]string, len(path))
	for i, at := range path {
		names[i] = b.files[at].Name
	}
	return strings.Join(names, " needs ")
}

// definer is the file that defines what another one names; itself where it does.
func (b *bundle) definer(file int, m mention) (int, error) {
	for _, n := range []string{newName(m.text, m.space).full(), m.text} {
		switch all := b.definers[n]; {
		case b.names[file].defines[n]:
			return file, nil
		case len(all) > 1:
			return 0, fmt.Errorf("%s names %s, which %s and %s define", b.files[file].Name, n, b.files[all[0]].Name, b.files[all[1]].Name)
		case len(all) == 1:
			return all[0], nil
		}
	}
	return 0, fmt.Errorf("%s names %s, which no file defines", b.files[file].Name, newName(m.text, m.space).full())
}

// fileNames are the types that a file defines and those that it names.
type fileNames struct {
	value    *tree.Value
	defines  map[string]bool
	mentions []mention
}

type mention struct{ text, space string }

func (f *fileNames) visit(v *tree.Value, space string) {
	switch {
	case v.Is(tree.String):
		if !slices.Contains(primitives, v.Text) {
			f.mentions = append(f.mentions, mention{v.Text, space})
		}
	case v.Is(tree.Array):
		for _, item := range v.Items {
			f.visit(item, space)
		}
	case v.Is(tree.Object):
		f.object(v, space)
	}
}

func (f *fileNames) object(v *tree.Value, space string) {
	switch textOf(v.Get("type")) {
	case kindRecord, kindError, kindEnum, kindFixed:
		if given := v.Get("namespace"); given.Is(tree.String) {
			space = given.Text
		}
		n := newName(textOf(v.Get("name")), space)
		f.defines[n.full()] = true
		if fields := v.Get("fields"); fields.Is(tree.Array) {
			for _, field := range fields.Items {
				f.visit(field.Get("type"), n.space)
			}
		}
	case kindArray:
		f.visit(v.Get("items"), space)
	case kindMap:
		f.visit(v.Get("values"), space)
	default:
		f.visit(v.Get("type"), space)
	}
}
