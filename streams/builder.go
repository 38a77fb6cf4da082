package streams

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Builder gathers the operators of a topology: From and its like begin, Build ends. What
// is wrong with an operator is said by Build, so that declarations read without error
// handling. It is not for use by several goroutines.
type Builder struct {
	root          *operator
	index         int // of the next generated name
	priority      int // of the next operator
	problems      []error
	copartitioned [][]string // names of source nodes
	stores        []*plan.Store
}

// NewBuilder is an empty topology.
func NewBuilder() *Builder { return &Builder{root: &operator{name: "root"}} }

// Build makes the topology. The error names everything that is wrong with it.
func (b *Builder) Build() (*Topology, error) {
	w := newWriter(b)
	w.writeAll()
	if len(w.problems) > 0 {
		return nil, fmt.Errorf("the topology cannot be built: %w", errors.Join(w.problems...))
	}
	return w.topology(), nil
}

// problem is said by Build.
func (b *Builder) problem(format string, args ...any) {
	b.problems = append(b.problems, fmt.Errorf(format, args...))
}

// need notes a problem if a function or serde (what) that node needs is nil.
func (b *Builder) need(node, what string, v any) {
	if isNil(v) {
		b.problem("%s: no %s (nil)", node, what)
	}
}

func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Func, reflect.Pointer, reflect.Map, reflect.Slice:
		return r.IsNil()
	}
	return false
}

// same notes a problem if another builder made what node connects.
func (b *Builder) same(node string, other *Builder) {
	if b != other {
		b.problem("%s: connects what two builders made", node)
	}
}

// generate makes the next name with Kafka Streams' numbering. A name that the user gives
// takes a number too, so that those of others do not depend on it.
func (b *Builder) generate(prefix string) string {
	b.index++
	return fmt.Sprintf("%s%010d", prefix, b.index-1)
}

// nodeName is the user's, or generated.
func (b *Builder) nodeName(named, prefix string) string { return b.suffixed(named, "", prefix) }

// suffixed is the user's name and a suffix, or generated.
func (b *Builder) suffixed(named, suffix, prefix string) string {
	generated := b.generate(prefix)
	if named == "" {
		return generated
	}
	return b.valid("name", named+suffix)
}

// storeName generates a store's name.
func (b *Builder) storeName(prefix string) string { return b.generate(prefix + "STATE-STORE-") }

var legal = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// maxName is what Kafka takes as a topic's name.
const maxName = 249

// valid notes a problem with a name that Kafka would not take as (part of) a topic's.
func (b *Builder) valid(what, name string) string {
	switch {
	case name == "":
		b.problem("a %s is empty", what)
	case len(name) > maxName:
		b.problem("%s %q is longer than %d characters", what, name, maxName)
	case name == "." || name == ".." || !legal.MatchString(name):
		b.problem("%s %q: only ASCII letters, digits, '.', '_' and '-' are allowed", what, name)
	}
	return name
}

// coPartition notes that the topics of these source nodes need the same number of
// partitions, and returns all of them.
func (b *Builder) coPartition(sources ...[]string) []string {
	var all []string
	for _, some := range sources {
		all = union(all, some)
	}
	b.copartitioned = append(b.copartitioned, all)
	return all
}

// union is the names of both, once each.
func union(a, b []string) []string {
	out := append([]string(nil), a...)
	seen := map[string]bool{}
	for _, n := range a {
		seen[n] = true
	}
	for _, n := range b {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}
