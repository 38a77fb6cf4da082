package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

//go:embed static
var staticFiles embed.FS

// static serves the embedded files below /static/<hash>/. The hash is that of all
// files together, so that modules can import each other by relative paths and each
// may be cached for ever.
type static struct {
	files map[string][]byte // by path below static/
	hash  string
}

func loadStatic() *static {
	s := &static{files: map[string][]byte{}}
	sum := sha256.New()
	err := fs.WalkDir(staticFiles, "static", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := staticFiles.ReadFile(path)
		s.files[strings.TrimPrefix(path, "static/")] = data
		sum.Write([]byte(path + "\x00"))
		sum.Write(data)
		return err
	})
	if err != nil {
		panic(err) // embedded files are part of the program
	}
	s.hash = hex.EncodeToString(sum.Sum(nil))[:16]
	return s
}

func (s *static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	hash, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/static/"), "/")
	data, ok := s.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	caching := "no-cache" // a page of another version of the console asks
	if hash == s.hash {
		caching = "public, max-age=31536000, immutable"
	}
	w.Header().Set("Cache-Control", caching)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
}

// url of a file, without the base.
func (s *static) url(name string) string { return "/static/" + s.hash + "/" + name }
