// Package schemafiles finds the schemas that the command line names.
package schemafiles

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/kafka/registry"
)

// File is a schema's file.
type File struct {
	// Path is where it is, with slashes; Name is that below the folder that was named.
	Path, Name string
	Text       string
}

// Read the files, and those below folders whose names end as given, in the order of their names.
func Read(paths []string, endings ...string) ([]File, error) {
	var out []File
	for _, p := range paths {
		info, err := os.Stat(p)
		switch {
		case err != nil:
		case !info.IsDir():
			err = add(&out, p, filepath.Base(p))
		default:
			err = folder(&out, p, endings)
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(out, func(a, b File) bool { return a.Path == b.Path }), nil
}

func folder(out *[]File, root string, endings []string) error {
	before := len(*out)
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains(endings, filepath.Ext(p)) {
			return err
		}
		name, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		return add(out, p, name)
	})
	if err == nil && len(*out) == before {
		err = fmt.Errorf("%s: there are no schemas in this folder (%v)", root, endings)
	}
	return err
}

// add reads no more of what is no schema than one may have.
func add(out *[]File, p, name string) error {
	most := int64(registry.DefaultLimits().Schema)
	info, err := os.Stat(p)
	if err != nil {
		return err
	}
	if info.Size() > most {
		return fmt.Errorf("%s: it has %d bytes, and a schema at most %d", p, info.Size(), most)
	}
	text, err := os.ReadFile(p)
	if err != nil {
		return err
	}
	*out = append(*out, File{path.Clean(filepath.ToSlash(p)), filepath.ToSlash(name), string(text)})
	return nil
}
