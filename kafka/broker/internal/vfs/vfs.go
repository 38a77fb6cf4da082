// Package vfs is the file system as the broker's storage needs it: files written
// at positions, synced, renamed, and folders whose entries are synced too. OS is
// the real one, NewMemory one without a disk, and package simfs one that loses
// power in tests.
package vfs

import "io"

// FS is a file system. Names are paths with slashes; those of one call to Rename
// lie in one folder. Errors are those of package os: a file that is missing
// matches fs.ErrNotExist. All methods are safe for concurrent use.
type FS interface {
	// Create makes an empty file, in place of one of that name.
	Create(name string) (File, error)
	// Open opens a file that exists, for reading and writing.
	Open(name string) (File, error)
	// Rename gives a file another name, in place of one that had it.
	Rename(from, to string) error
	// Remove removes a file or an empty folder.
	Remove(name string) error
	// ReadDir returns the names in a folder, sorted.
	ReadDir(name string) ([]string, error)
	// MkdirAll makes a folder and those above it that are missing.
	MkdirAll(name string) error
	// SyncDir makes the names in a folder survive a power cut: those made, renamed
	// and removed before the call. File.Sync does not do so.
	SyncDir(name string) error
	// Lock takes a lock for this process, on a file that it makes where it is
	// missing. It fails with ErrLocked where another has it. The system releases it
	// with the process; Close does before.
	Lock(name string) (io.Closer, error)
}

// File is an open file. ReadAt and WriteAt are safe for concurrent use. To append
// is to write at the end, which the writer knows: a write that failed half-way is
// then written over.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Truncate makes the file that long; what is added reads as zeros.
	Truncate(size int64) error
	// Sync makes content and length survive a power cut. After an error nothing is
	// known of what was written since the last one that succeeded, not even where a
	// later one succeeds.
	Sync() error
	// Size returns the length in bytes.
	Size() (int64, error)
}

// WriteFile puts a file in place so that a power cut leaves the old one or the new
// one whole: written beside, synced, renamed, the folder synced. folder is the one
// name lies in.
func WriteFile(fs FS, folder, name string, data []byte) error {
	beside := folder + "/" + name + ".new"
	if err := WriteSynced(fs, beside, data); err != nil {
		return err
	}
	if err := fs.Rename(beside, folder+"/"+name); err != nil {
		return err
	}
	return fs.SyncDir(folder)
}

// WriteSynced writes a file and syncs it. A power cut may leave it without its name, which
// SyncDir makes last.
func WriteSynced(fs FS, name string, data []byte) error {
	f, err := fs.Create(name)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// ReadFile returns a file's content. It fails with ErrTooLarge where that is longer
// than limit bytes.
func ReadFile(fs FS, name string, limit int64) ([]byte, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, tooLarge(name, size, limit)
	}
	data := make([]byte, size)
	n, err := f.ReadAt(data, 0)
	if err == io.EOF {
		err = nil
	}
	return data[:n], err
}
