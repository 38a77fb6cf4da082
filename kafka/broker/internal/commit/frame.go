package commit

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// A frame is a batch in a journal file: CRC-32C over all that follows and over the
// file's number, length of the batch, topic id, partition, batch. The number keeps
// frames of a file's former use from being read.
const (
	frameHeader = 4 + 4 + 16 + 4
	// maxFrame bounds what a damaged length may ask for.
	maxFrame = 128<<20 + frameHeader
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errFrame = errors.New("no frame")

// appendFrame leaves the CRC for seal, for the file is not known yet.
func appendFrame(b []byte, key Key, batch []byte) []byte {
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(batch)))
	b = append(b, key.Topic[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(key.Partition))
	return append(b, batch...)
}

// seal gives all frames of a group the CRCs of a file.
func seal(b []byte, file uint64) {
	for len(b) > 0 {
		size := frameHeader + int(binary.BigEndian.Uint32(b[4:]))
		binary.BigEndian.PutUint32(b, checksum(b[:size], file))
		b = b[size:]
	}
}

func checksum(frame []byte, file uint64) uint32 {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], file)
	return crc32.Update(crc32.Checksum(number[:], castagnoli), castagnoli, frame[4:])
}

// frameSize reads the length of a frame from its header.
func frameSize(b []byte) int { return frameHeader + int(binary.BigEndian.Uint32(b[4:])) }

// readFrame checks a whole frame.
func readFrame(b []byte, file uint64) (key Key, batch []byte, err error) {
	if binary.BigEndian.Uint32(b) != checksum(b, file) {
		return key, nil, errFrame
	}
	copy(key.Topic[:], b[8:])
	key.Partition = int32(binary.BigEndian.Uint32(b[24:]))
	return key, b[frameHeader:], nil
}
