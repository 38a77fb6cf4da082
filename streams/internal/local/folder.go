package local

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Format of the folder. One that is newer is refused, because it is good for a newer
// program; damaged ones are thrown away.
const formatVersion = 1

// Names in the folder. The database itself is in a subfolder with a number, so that
// another one can take the place of a damaged one.
const (
	lockName      = "LOCK"
	formatName    = "FORMAT"
	enginePrefix  = "db-"
	formatHeading = "pabal streams stores, format"
)

// ErrNewer is of a folder that a newer version wrote.
var ErrNewer = errors.New("the folder was written by a newer version")

// folder is what this process alone has.
type folder struct {
	fs   vfs.FS
	dir  string
	lock io.Closer
}

func openFolder(fsys vfs.FS, dir string) (*folder, error) {
	if err := fsys.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("folder of the stores: %w", failure(err))
	}
	path := fsys.PathJoin(dir, lockName)
	lock, err := fsys.Lock(path)
	if err != nil {
		return nil, lockFailure(dir, err)
	}
	return &folder{fsys, dir, lock}, nil
}

// lockFailure tells a lock that is held from a folder that cannot be written.
func lockFailure(dir string, err error) error {
	var path *fs.PathError // of opening the file, not of locking it
	if errors.As(err, &path) {
		return fmt.Errorf("folder of the stores %s: %w", dir, failure(err))
	}
	return fmt.Errorf("%w: %s (%w); stop that one, or give each process a folder of its own", ErrLocked, dir, err)
}

func (f *folder) close() error { return f.lock.Close() }

// checkFormat returns an error that is ErrCorrupt where the note is damaged, and writes it
// into a new folder.
func (f *folder) checkFormat() error {
	b, err := f.read(formatName)
	if errors.Is(err, fs.ErrNotExist) {
		return f.writeFormat()
	}
	if err != nil {
		return err
	}
	version, err := parseFormat(string(b))
	if err == nil && version > formatVersion {
		return fmt.Errorf("%w: %s has format %d, this program knows up to %d; start the newer program, or delete the folder to restore the stores from Kafka",
			ErrNewer, f.dir, version, formatVersion)
	}
	return err
}

// format is "heading number checksum".
func format(version int) string {
	body := formatHeading + " " + strconv.Itoa(version)
	return fmt.Sprintf("%s %08x\n", body, crc32.ChecksumIEEE([]byte(body)))
}

func parseFormat(text string) (int, error) {
	number, ok := strings.CutPrefix(text, formatHeading+" ")
	word, _, _ := strings.Cut(number, " ")
	version, err := strconv.Atoi(word)
	if !ok || err != nil || format(version) != text {
		return 0, fmt.Errorf("%w: the folder's note about its format is damaged", ErrCorrupt)
	}
	return version, nil
}

func (f *folder) writeFormat() error { return f.write(formatName, format(formatVersion)) }

// write makes a note, whole or not at all.
func (f *folder) write(name, text string) error {
	tmp := f.path(name + ".tmp")
	file, err := f.fs.Create(tmp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return f.fs.Rename(tmp, f.path(name))
}

func (f *folder) has(name string) (bool, error) {
	_, err := f.fs.Stat(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// maxNote bounds what is read of a note.
const maxNote = 1 << 10

func (f *folder) read(name string) ([]byte, error) {
	file, err := f.fs.Open(f.path(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxNote))
}

func (f *folder) path(name string) string { return f.fs.PathJoin(f.dir, name) }

// engines are the numbers of the databases in the folder, the last one being the one
// that counts.
func (f *folder) engines() ([]int, error) {
	names, err := f.fs.List(f.dir)
	if err != nil {
		return nil, err
	}
	var out []int
	for _, name := range names {
		if digits, ok := strings.CutPrefix(name, enginePrefix); ok {
			if n, err := strconv.Atoi(digits); err == nil && n > 0 {
				out = append(out, n)
			}
		}
	}
	return out, nil
}

func (f *folder) enginePath(n int) string { return f.path(fmt.Sprintf("%s%06d", enginePrefix, n)) }

// madeName is the note that a database was made and is not empty since.
func madeName(n int) string { return fmt.Sprintf("made-%06d", n) }

// removeEngine removes a database and the note about it, the note first.
func (f *folder) removeEngine(n int) error {
	err := f.fs.Remove(f.path(madeName(n)))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, f.fs.RemoveAll(f.enginePath(n)))
}
