import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { enrichmentSettings } from '../../enrichment/settings.ts';
import { URL_SETTINGS } from '../../enrichment/source.ts';
import { sources } from '../../enrichment/sources/index.ts';
import { parseIptoasn } from '../../enrichment/sources/iptoasn.ts';
import { formatAddress } from '../../src/model/addresses.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8');

/** One published document of each list, shaped as its publisher has it. */
const documents: Record<string, { text: string; expected: string[] }> = {
  iptoasn: {
    text: '192.0.2.0\t192.0.2.255\t64500\tNL\tEXAMPLE\n2001:db8::\t2001:db8:ffff:ffff:ffff:ffff:ffff:ffff\t64501\tNone\tSIX\n',
    expected: ['192.0.2.0 64500 NL EXAMPLE', '2001:db8:: 64501  SIX'],
  },
  'tor-exits': { text: '192.0.2.1\n2001:db8::1\n', expected: ['192.0.2.1 tor-exit', '2001:db8::1 tor-exit'] },
  aws: {
    text: JSON.stringify({
      prefixes: [
        { ip_prefix: '192.0.2.0/24', region: 'GLOBAL', service: 'CLOUDFRONT' },
        { ip_prefix: '192.0.2.0/24', region: 'GLOBAL', service: 'AMAZON' },
        { ip_prefix: '198.51.100.0/24', region: 'eu-west-1', service: 'EC2' },
      ],
      ipv6_prefixes: [{ ipv6_prefix: '2001:db8::/32', region: 'eu-west-1', service: 'EC2' }],
    }),
    expected: ['192.0.2.0 cloud', '198.51.100.0 cloud', '2001:db8:: cloud', '192.0.2.0 cdn'],
  },
  'google-cloud': {
    text: JSON.stringify({ prefixes: [{ ipv4Prefix: '192.0.2.0/24' }, { ipv6Prefix: '2001:db8::/32' }] }),
    expected: ['192.0.2.0 cloud', '2001:db8:: cloud'],
  },
  azure: {
    text: JSON.stringify({
      values: [
        { name: 'AzureCloud', properties: { addressPrefixes: ['192.0.2.0/24', '2001:db8::/32'] } },
        { name: 'AzureFrontDoor.Frontend', properties: { addressPrefixes: ['192.0.2.8/29'] } },
      ],
    }),
    expected: ['192.0.2.0 cloud', '2001:db8:: cloud', '192.0.2.8 cdn'],
  },
  cloudflare: {
    text: JSON.stringify({
      result: { ipv4_cidrs: ['192.0.2.0/24'], ipv6_cidrs: ['2001:db8::/32'] },
      success: true,
    }),
    expected: ['192.0.2.0 cdn', '2001:db8:: cdn'],
  },
  fastly: {
    text: JSON.stringify({ addresses: ['192.0.2.0/24'], ipv6_addresses: ['2001:db8::/32'] }),
    expected: ['192.0.2.0 cdn', '2001:db8:: cdn'],
  },
  oracle: {
    text: JSON.stringify({ regions: [{ region: 'eu', cidrs: [{ cidr: '192.0.2.0/24', tags: ['OCI'] }] }] }),
    expected: ['192.0.2.0 cloud'],
  },
  digitalocean: {
    text: '192.0.2.0/24,NL,NL-NH,Amsterdam,1098\n2001:db8::/32,NL,,,\n',
    expected: ['192.0.2.0 vps', '2001:db8:: vps'],
  },
  linode: { text: '# prefix,country\n192.0.2.0/24,DE,,,\n', expected: ['192.0.2.0 vps'] },
  vultr: { text: '192.0.2.0/24,US,US-NJ,Piscataway,\n', expected: ['192.0.2.0 vps'] },
};

for (const source of sources) {
  test(`${source.name}: its document is read`, () => {
    const document = documents[source.name];
    assert.ok(document, 'a document is written down in this test');
    const told = source
      .parse(bytes(document.text))
      .map(({ first, value }) =>
        typeof value === 'string'
          ? `${formatAddress(first)} ${value}`
          : `${formatAddress(first)} ${value.asn} ${value.country} ${value.name}`,
      );
    assert.deepEqual(told, document.expected);
  });

  test(`${source.name}: garbage is refused`, () => {
    for (const text of [
      '<html>502 Bad Gateway</html>',
      '{}',
      '[]',
      'null',
      '\0\0\0',
      '{"prefixes": 5}',
      'a,b\nc,d\n',
    ])
      assert.throws(() => source.parse(bytes(text)), text);
  });

  test(`${source.name}: its bounds and setting are there`, () => {
    assert.ok(source.maxBytes > 0 && source.refreshEveryMs > 0);
    assert.ok(source.defaultUrl === '' || source.defaultUrl.startsWith('https://'));
    assert.ok(source.urlSetting in enrichmentSettings);
  });
}

test('names and settings of lists are each used once', () => {
  assert.equal(new Set(sources.map(({ name }) => name)).size, sources.length);
  assert.deepEqual(sources.map(({ urlSetting }) => urlSetting).sort(), [...URL_SETTINGS].sort());
});

test('a prefix that spans much of the Internet is left out', () => {
  const list = sources.find(({ name }) => name === 'fastly');
  const text = JSON.stringify({
    addresses: ['0.0.0.0/0', '192.0.2.0/24', '198.51.100.0/24'],
    ipv6_addresses: ['::/0', 'any', '2001:db8::/32'],
  });
  assert.throws(() => list?.parse(bytes(text)), /only 3 of 6/);
  const mostlySound = text.replace('"any"', '"2001:db8:1::/48"');
  assert.equal(list?.parse(bytes(mostlySound)).length, 4);
});

test('IPtoASN is read gzipped, without what nobody announces, over bad lines', () => {
  const text = [
    '1.0.0.0\t1.0.0.255\t13335\tUS\tCLOUDFLARENET',
    '1.0.1.0\t1.0.3.255\t0\tNone\tNot routed',
    'damaged',
    '2.0.0.9\t2.0.0.1\t64500\tUS\tBACKWARDS',
    '1.0.4.0\t1.0.7.255\t38803\tAU\tGTELECOM Gtelecom Pty Ltd',
    '',
  ].join('\r\n');
  assert.deepEqual(
    parseIptoasn(gzipSync(text)).map(({ value }) => value.asn),
    [13335, 38803],
  );
});
