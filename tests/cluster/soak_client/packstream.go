package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Values as bytes and back, as far as this client needs them: nil, bool, int64, float64, string, []any, map[string]any.

func packSize(b *bytes.Buffer, tiny, marker byte, n int) {
	switch {
	case tiny != 0 && n < 16:
		b.WriteByte(tiny | byte(n))
	case n < 1<<8:
		b.Write([]byte{marker, byte(n)})
	default:
		b.WriteByte(marker + 1)
		binary.Write(b, binary.BigEndian, uint16(n))
	}
}

func pack(b *bytes.Buffer, value any) {
	switch v := value.(type) {
	case nil:
		b.WriteByte(0xc0)
	case int64:
		b.WriteByte(0xcb)
		binary.Write(b, binary.BigEndian, v)
	case string:
		packSize(b, 0x80, 0xd0, len(v))
		b.WriteString(v)
	case []any:
		packSize(b, 0x90, 0xd4, len(v))
		for _, of := range v {
			pack(b, of)
		}
	case map[string]any:
		packSize(b, 0xa0, 0xd8, len(v))
		for key, of := range v {
			pack(b, key)
			pack(b, of)
		}
	default:
		panic(fmt.Sprintf("no way to pack %T", value))
	}
}

type structure struct {
	tag    byte
	fields []any
}

type unpacker struct{ r *bytes.Reader }

func (u unpacker) number(bytes int) (uint64, error) {
	var raw [8]byte
	if _, err := io.ReadFull(u.r, raw[8-bytes:]); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(raw[:]), nil
}

func (u unpacker) list(n uint64) ([]any, error) {
	values := []any{}
	for ; n > 0; n-- {
		value, err := u.value()
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

func (u unpacker) table(n uint64) (any, error) {
	values, err := u.list(2 * n)
	if err != nil {
		return nil, err
	}
	table := map[string]any{}
	for i := 0; i < len(values); i += 2 {
		key, _ := values[i].(string)
		table[key] = values[i+1]
	}
	return table, nil
}

func (u unpacker) text(n uint64) (any, error) {
	text := make([]byte, n)
	_, err := io.ReadFull(u.r, text)
	return string(text), err
}

func (u unpacker) sized(kind byte, n uint64) (any, error) {
	switch kind {
	case 0x80, 0xd0:
		return u.text(n)
	case 0x90, 0xd4:
		return u.list(n)
	case 0xa0, 0xd8:
		return u.table(n)
	}
	tag, err := u.r.ReadByte()
	if err != nil {
		return nil, err
	}
	fields, err := u.list(n)
	return structure{tag, fields}, err
}

func (u unpacker) value() (any, error) {
	m, err := u.r.ReadByte()
	if err != nil {
		return nil, err
	}
	switch {
	case m < 0x80:
		return int64(m), nil
	case m >= 0xf0:
		return int64(int8(m)), nil
	case m < 0xc0:
		return u.sized(m&0xf0, uint64(m&0x0f))
	case m == 0xc0:
		return nil, nil
	case m == 0xc1:
		n, err := u.number(8)
		return math.Float64frombits(n), err
	case m == 0xc2 || m == 0xc3:
		return m == 0xc3, nil
	case m >= 0xc8 && m <= 0xcb:
		bytes := 1 << (m - 0xc8)
		n, err := u.number(bytes)
		shift := 64 - 8*bytes
		return int64(n<<shift) >> shift, err
	case m >= 0xd0 && m <= 0xda && m&3 < 3:
		n, err := u.number(1 << (m & 3))
		if err != nil {
			return nil, err
		}
		return u.sized(m&^3, n)
	}
	return nil, fmt.Errorf("marker %#x", m)
}

// ---- messages in chunks ----

func putMessage(to *bytes.Buffer, tag byte, fields ...any) {
	var b bytes.Buffer
	b.Write([]byte{0xb0 | byte(len(fields)), tag})
	for _, field := range fields {
		pack(&b, field)
	}
	binary.Write(to, binary.BigEndian, uint16(b.Len()))
	to.Write(b.Bytes())
	to.Write([]byte{0, 0})
}

// The next message but for NOOPs.
func getMessage(r *bufio.Reader) (structure, error) {
	var message []byte
	for {
		var head [2]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return structure{}, err
		}
		n := int(binary.BigEndian.Uint16(head[:]))
		if n == 0 && len(message) > 0 {
			value, err := unpacker{bytes.NewReader(message)}.value()
			if err != nil {
				return structure{}, err
			}
			s, ok := value.(structure)
			if !ok {
				return structure{}, fmt.Errorf("not a message: %v", value)
			}
			return s, nil
		}
		part := make([]byte, n)
		if _, err := io.ReadFull(r, part); err != nil {
			return structure{}, err
		}
		message = append(message, part...)
	}
}
