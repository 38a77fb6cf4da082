package journal

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Type is a Go type and the name under which its values are stored.
type Type struct {
	name    string
	aliases []string
	version int
	goType  reflect.Type
	decode  func(unmarshal func([]byte, any) error, data []byte) (any, error)
}

// TypeOf names T. The manifest is what is written; with Pekko's serializers it is
// the class on the JVM, for example "shop.Cart$ItemAdded", or "" where Pekko's
// setting type-in-manifest is off. Aliases are further names it is read under.
// Values are marshalled and come back as T: not *T, unless T is a pointer.
func TypeOf[T any](manifest string, aliases ...string) Type {
	return Type{name: manifest, aliases: aliases, goType: reflect.TypeFor[T](),
		decode: func(unmarshal func([]byte, any) error, data []byte) (any, error) {
			var value T
			err := unmarshal(data, &value)
			return value, err
		}}
}

// Version is the type with a version, 1 or more, which is written behind the
// manifest: "name#2", as Jackson migrations of Pekko do. A manifest without one
// is of version 1. A payload of another version is an error, unless an Adapter
// changes it; a type without Version reads payloads of any.
func (t Type) Version(version int) Type {
	t.version = version
	if version < 1 {
		t.version = -1 // for check to tell
	}
	return t
}

func (t Type) manifest() string {
	if t.version == 0 {
		return t.name
	}
	return versioned(t.name, t.version)
}

func (t Type) check() error {
	switch {
	case t.goType == nil:
		return fmt.Errorf("journal: a Type was not made by TypeOf")
	case t.version < 0:
		return fmt.Errorf("journal: type %v: a version is 1 or more", t.goType)
	}
	for _, name := range append([]string{t.name}, t.aliases...) {
		if base, _, ok := cutVersion(name); ok {
			return fmt.Errorf("journal: type %v: manifest %q: name it %q and set its Version", t.goType, name, base)
		}
	}
	return nil
}

// reads says whether payloads of that version are the type's.
func (t Type) reads(version int) error {
	switch {
	case t.version == 0 || version == t.version:
		return nil
	case version > t.version:
		return fmt.Errorf("%w: it has version %d, this program knows %q up to version %d: update it, or add an adapter",
			ErrManifest, version, t.name, t.version)
	}
	return fmt.Errorf("%w: it has version %d, %q is at version %d: add an adapter, see Upcast", ErrManifest, version, t.name, t.version)
}

const versionMark = "#"

func versioned(name string, version int) string { return name + versionMark + strconv.Itoa(version) }

// splitVersion is a manifest's name and version, 1 where it has none.
func splitVersion(manifest string) (name string, version int) {
	if name, version, ok := cutVersion(manifest); ok {
		return name, version
	}
	return manifest, 1
}

func cutVersion(manifest string) (name string, version int, ok bool) {
	i := strings.LastIndex(manifest, versionMark)
	if i < 0 {
		return "", 0, false
	}
	version, err := strconv.Atoi(manifest[i+1:])
	return manifest[:i], version, err == nil
}
