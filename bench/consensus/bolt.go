package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"
)

// One property of one node over Bolt 5.4, in one statement: as much as a put of etcd. No more of PackStream than that takes.
type boltStore struct {
	endpoint string
	conn     net.Conn
	reader   *bufio.Reader
}

const (
	setStatement = "MATCH (k:Key {id: $id}) SET k.value = $value"
	getStatement = "MATCH (k:Key {id: $id}) RETURN k.value"
)

func packText(b *bytes.Buffer, text string) {
	b.WriteByte(0xd1)
	binary.Write(b, binary.BigEndian, uint16(len(text)))
	b.WriteString(text)
}

func packInt(b *bytes.Buffer, n int) {
	b.WriteByte(0xcb)
	binary.Write(b, binary.BigEndian, int64(n))
}

// A message of less than 64 KiB in one chunk.
func chunk(to *bytes.Buffer, message func(b *bytes.Buffer)) {
	var b bytes.Buffer
	message(&b)
	binary.Write(to, binary.BigEndian, uint16(b.Len()))
	to.Write(b.Bytes())
	to.Write([]byte{0, 0})
}

func (s *boltStore) connect(timeout time.Duration) error {
	conn, err := net.DialTimeout("tcp", s.endpoint, timeout)
	if err != nil {
		return err
	}
	conn.SetDeadline(time.Now().Add(timeout))
	var b bytes.Buffer
	b.Write([]byte("\x60\x60\xb0\x17\x00\x00\x04\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	chunk(&b, func(m *bytes.Buffer) {
		m.Write([]byte{0xb1, 0x01, 0xa2})
		packText(m, "user_agent")
		packText(m, "bench/1.0")
		packText(m, "bolt_agent")
		m.WriteByte(0xa1)
		packText(m, "product")
		packText(m, "bench/1.0")
	})
	chunk(&b, func(m *bytes.Buffer) {
		m.Write([]byte{0xb1, 0x6a, 0xa1})
		packText(m, "scheme")
		packText(m, "none")
	})
	reader := bufio.NewReader(conn)
	if _, err = conn.Write(b.Bytes()); err == nil {
		_, err = io.ReadFull(reader, make([]byte, 4))
	}
	s.conn, s.reader = conn, reader
	for i := 0; i < 2 && err == nil; i++ {
		err = s.success()
	}
	if err != nil {
		s.close()
	}
	return err
}

func (s *boltStore) close() {
	s.conn.Close()
	s.conn = nil
}

// The next message but for NOOPs: its tag.
func (s *boltStore) tag() (byte, error) {
	var message []byte
	for {
		var head [2]byte
		if _, err := io.ReadFull(s.reader, head[:]); err != nil {
			return 0, err
		}
		n := int(binary.BigEndian.Uint16(head[:]))
		if n == 0 && len(message) > 1 {
			return message[1], nil
		}
		part := make([]byte, n)
		if _, err := io.ReadFull(s.reader, part); err != nil {
			return 0, err
		}
		message = append(message, part...)
	}
}

// Rows are passed over.
func (s *boltStore) success() error {
	tag, err := s.tag()
	for err == nil && tag == 0x71 {
		tag, err = s.tag()
	}
	if err == nil && tag != 0x70 {
		err = errors.New("the server answered with a failure")
	}
	return err
}

func (s *boltStore) put(key int, value string, timeout time.Duration) error {
	return s.run(setStatement, key, value, timeout, func(extra *bytes.Buffer) { extra.WriteByte(0xa0) })
}

func (s *boltStore) get(key int, timeout time.Duration) error {
	return s.run(getStatement, key, "", timeout, func(extra *bytes.Buffer) {
		extra.WriteByte(0xa1)
		packText(extra, "mode")
		packText(extra, "r")
	})
}

func (s *boltStore) run(statement string, key int, value string, timeout time.Duration, extra func(*bytes.Buffer)) error {
	if s.conn == nil {
		if err := s.connect(timeout); err != nil {
			return err
		}
	}
	s.conn.SetDeadline(time.Now().Add(timeout))
	var b bytes.Buffer
	chunk(&b, func(m *bytes.Buffer) {
		m.Write([]byte{0xb3, 0x10})
		packText(m, statement)
		m.WriteByte(0xa2)
		packText(m, "id")
		packInt(m, key)
		packText(m, "value")
		packText(m, value)
		extra(m)
	})
	chunk(&b, func(m *bytes.Buffer) { m.Write([]byte("\xb1\x3f\xa1\x81n\xff")) })
	_, err := s.conn.Write(b.Bytes())
	for i := 0; i < 2 && err == nil; i++ {
		err = s.success()
	}
	if err != nil { // after a failure the session wants a RESET; another one is as quick
		s.close()
	}
	return err
}
