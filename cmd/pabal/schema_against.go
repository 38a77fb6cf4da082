package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/schemafiles"
	"github.com/pabal-dev/pabal/kafka/registry/compat"
)

// compare with the files of --against.
func (c *schemaCheck) compare(files []schemafiles.File) ([]checkedSchema, error) {
	if len(c.Reference) > 0 {
		return nil, wrongUse("--reference is about schemas of a registry, and --against asks none: give the file with the type together with the others, or leave --against out")
	}
	schemas, err := compat.Read(texts(files))
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(c.Against)
	if err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	if !info.IsDir() && len(files) > 1 {
		return nil, wrongUse("--against=%s is one file, and there are %d schemas: name a folder", c.Against, len(files))
	}
	old, err := findSchemas([]string{c.Against})
	if err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	before, err := compat.Read(texts(old))
	if err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	earlier := []int{0}
	if info.IsDir() {
		if earlier, err = c.earlier(files, old); err != nil {
			return nil, err
		}
	}
	out := make([]checkedSchema, len(files))
	for i, f := range files {
		out[i] = checkedSchema{File: f.Path, Result: compat.Result{New: true, Compatible: true}}
		if earlier[i] >= 0 {
			if out[i].Result, err = compat.Compare(schemas[i], before[earlier[i]], c.Level); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// earlier is what each file is compared with, -1 for nothing. Where no file is there, the folder is
// another one than was meant: that nothing was compared must not look as if nothing broke.
func (c *schemaCheck) earlier(files, old []schemafiles.File) ([]int, error) {
	out := make([]int, len(files))
	taken := map[int]string{}
	for i, f := range files {
		path, err := filepath.Abs(f.Path)
		if err != nil {
			return nil, err
		}
		out[i] = longest(filepath.ToSlash(path), f.Name, old)
		if out[i] < 0 {
			continue
		}
		if other, twice := taken[out[i]]; twice {
			return nil, wrongUse("%s and %s would both be compared with %s: check them one by one, or name the folder that both are in", other, f.Path, old[out[i]].Path)
		}
		taken[out[i]] = f.Path
	}
	if len(taken) == 0 {
		return nil, wrongUse("--against=%s has none of the schemas, such as %s: name the folder there that has the same files", c.Against, files[0].Name)
	}
	return out, nil
}

// longest is the file whose whole name the path ends with, -1 for none. A file of a folder that was
// named has all of its name below that; one that was named itself may be in folders there.
func longest(path, name string, old []schemafiles.File) int {
	found := -1
	for i, o := range old {
		if len(o.Name) >= len(name) && strings.HasSuffix(path, "/"+o.Name) && (found < 0 || len(o.Name) > len(old[found].Name)) {
			found = i
		}
	}
	return found
}
