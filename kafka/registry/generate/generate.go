// Package generate writes Go types for Avro schemas, as `pabal schema go` does.
//
//	code, err := generate.Go([]generate.File{{Name: "order.avsc", Text: avsc}}, generate.Config{Package: "orders"})
//
// A record is a struct whose tags package codec reads, an enum a string type with constants, a fixed
// an array of bytes. Logical types are Go's: *big.Rat for decimals, time.Time for dates and
// timestamps, time.Duration for times of a day, [16]byte for UUIDs. A union of null and one type is a
// pointer, any other union is any. Each file whose schema is a record also gives a constant with that
// schema, to be the codec's. Tags alone cannot say everything: they have no namespaces of their own, no
// documentation, no defaults of arrays, and a decimal that is not null.
//
// The same schemas give the same code, byte for byte. Nothing here does I/O.
package generate

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"go/token"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/avro"

	registryavro "github.com/pabal-dev/pabal/kafka/registry/internal/avro"
	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// File is the text of a schema, and the name that errors call it by.
type File struct{ Name, Text string }

// Config of Go.
type Config struct {
	// Package is the name of the generated package. It is required.
	Package string
}

// Kinds of errors, for errors.Is.
var (
	// ErrConfig: the configuration cannot work.
	ErrConfig = errors.New("configuration of the generator")
	// ErrSchema: a schema is none, is larger than registry.DefaultLimits, or does not fit the others.
	ErrSchema = errors.New("schemas")
)

// Go returns a source file with the types of all schemas, formatted. Files may name types that others
// define, in any order.
func Go(files []File, c Config) ([]byte, error) {
	if !token.IsIdentifier(c.Package) || c.Package == "_" {
		return nil, fmt.Errorf("%w: %q is no name of a package", ErrConfig, c.Package)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%w: no schemas", ErrConfig)
	}
	g := &generator{types: map[string]*goType{}, taken: map[string]bool{}, imports: map[string]bool{}}
	if err := g.read(files); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	code, err := format.Source(g.source(c.Package))
	if err != nil {
		return nil, fmt.Errorf("%w: the code that they make is not Go: %w", ErrSchema, err)
	}
	return code, nil
}

type generator struct {
	types   map[string]*goType // by full name
	order   []*goType
	taken   map[string]bool // identifiers of the package
	imports map[string]bool
	body    bytes.Buffer
}

// goType is what a named type becomes.
type goType struct {
	node *avro.SchemaNode
	name string
	// file has it as its root, and text is its whole schema; both are empty for other types.
	file, text string
	// same tells two definitions of the name apart.
	same string
}

func (g *generator) read(files []File) error {
	in := make([]registryavro.File, len(files))
	for i, f := range files {
		in[i] = registryavro.File(f)
	}
	schemas, err := registryavro.ParseFiles(in, nil, tree.DefaultLimits())
	if err != nil {
		return err
	}
	for i, s := range schemas {
		text := s.Resolved()
		full, err := registryavro.Parse(text, nil, tree.Limits{})
		if err == nil {
			err = full.Validate()
		}
		var parsed *avro.Schema
		if err == nil {
			parsed, err = avro.Parse(full.Normalized()) // names are full there
		}
		if err == nil {
			err = g.collect(parsed.Root(), files[i].Name, text)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", files[i].Name, err)
		}
	}
	g.name()
	return nil
}

// collect the named types of a schema, each before those that it has inside.
func (g *generator) collect(n *avro.SchemaNode, file, text string) error {
	if n.Name != "" {
		s, err := n.Schema()
		if err != nil {
			return err
		}
		t, full := &goType{node: n, same: s.String()}, fullName(n)
		if known := g.types[full]; known == nil {
			g.types[full] = t
			g.order = append(g.order, t)
		} else if known.same == t.same {
			t = known
		} else {
			return fmt.Errorf("%s is defined differently in another file", full)
		}
		if text != "" && isRecord(n) {
			t.file, t.text = file, text
		}
	}
	for _, child := range children(n) {
		if err := g.collect(child, file, ""); err != nil {
			return err
		}
	}
	return nil
}

func children(n *avro.SchemaNode) (out []*avro.SchemaNode) {
	for i := range n.Fields {
		out = append(out, &n.Fields[i].Type)
	}
	for i := range n.Branches {
		out = append(out, &n.Branches[i])
	}
	for _, inner := range []*avro.SchemaNode{n.Items, n.Values} {
		if inner != nil {
			out = append(out, inner)
		}
	}
	return out
}

func isRecord(n *avro.SchemaNode) bool { return n.Type == "record" || n.Type == "error" }

func fullName(n *avro.SchemaNode) string {
	if n.Namespace == "" || strings.Contains(n.Name, ".") {
		return n.Name
	}
	return n.Namespace + "." + n.Name
}

// identifier of a type: its name, or that with the last part of its namespace before it.
func (g *generator) identifier(full string) string {
	local, space := lastPart(full), strings.TrimSuffix(full, lastPart(full))
	if space == "" {
		return unused(g.taken, typeName(local))
	}
	return unused(g.taken, typeName(local), typeName(lastPart(strings.TrimSuffix(space, ".")))+typeName(local))
}

// name gives every type its identifier.
func (g *generator) name() {
	for _, t := range g.order {
		if goOf(t.node) == "" {
			t.name = g.identifier(fullName(t.node))
		}
	}
}

func (g *generator) source(name string) []byte {
	for _, t := range g.order {
		switch {
		case t.name == "":
		case t.node.Type == "enum":
			g.enum(t)
		case t.node.Type == "fixed":
			g.fixed(t)
		default:
			g.record(t)
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "// Code generated by pabal schema go. DO NOT EDIT.\n\npackage %s\n", name)
	if len(g.imports) > 0 {
		out.WriteString("\nimport (\n")
		for _, path := range slices.SortedFunc(maps.Keys(g.imports), standardFirst) {
			if path == avroPackage && len(g.imports) > 1 {
				out.WriteString("\n")
			}
			fmt.Fprintf(&out, "%q\n", path)
		}
		out.WriteString(")\n")
	}
	out.Write(g.body.Bytes())
	return out.Bytes()
}
