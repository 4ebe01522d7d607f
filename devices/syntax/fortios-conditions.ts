// what a policy of FortiOS asks beyond addresses, ports and interfaces -> conditions in words
import type { FortiScope } from './fortios-scope.ts';
import { entriesOf, type FortiEntry, isEnabled, settingOf, settingsOf } from './fortios-tree.ts';

/** Settings whose values are conditions that only the device can decide. */
const ASKED = [
  'groups',
  'users',
  'fsso-groups',
  'devices',
  'custom-devices',
  'src-vendor-mac',
  'application',
  'app-category',
  'app-group',
  'url-category',
  'ztna-ems-tag',
  'ztna-ems-tag-secondary',
  'ztna-geo-tag',
  'ztna-device-ownership',
  'reputation-minimum',
  'reputation-minimum6',
  'network-service-dynamic',
  'network-service-src-dynamic',
  'sgt',
  'internet-service-id',
];
/** Values with which such a setting asks nothing. */
const NOTHING = new Set(['0', 'disable', '']);

export function conditionsOf(scope: FortiScope, entry: FortiEntry): string[] {
  const asked = ASKED.filter((name) => !name.startsWith('internet-service')).flatMap((name) => {
    const values = settingsOf(entry, name).filter((value) => !NOTHING.has(value));
    return values.length > 0 ? [`${name} ${values.join(' ')}`.slice(0, 300)] : [];
  });
  const expires = isEnabled(entry, 'policy-expiry')
    ? [`until ${settingsOf(entry, 'policy-expiry-date').join(' ') || 'its expiry'}`]
    : [];
  const tos = entry.settings.has('tos-mask') ? [`tos ${settingOf(entry, 'tos') ?? ''}`] : [];
  return [...scheduleOf(scope, entry), ...asked, ...expires, ...tos];
}

const WEEK = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');

/** A schedule in words, with its days and hours, so that an edited schedule shows. */
function scheduleOf(scope: FortiScope, entry: FortiEntry): string[] {
  const name = settingOf(entry, 'schedule');
  if (name === undefined) return [];
  const found = ['firewall schedule recurring', 'firewall schedule onetime', 'firewall schedule group']
    .flatMap((section) => entriesOf(scope.sections, section))
    .find((one) => one.name === name);
  if (!found) return name === 'always' ? [] : [`schedule ${name}`];
  const days = settingsOf(found, 'day');
  const hasHours = ['start', 'end'].some(
    (part) => found.settings.has(part) && settingOf(found, part) !== '00:00',
  );
  if (name === 'always' && !hasHours && (days.length === 0 || WEEK.every((day) => days.includes(day))))
    return [];
  const details = ['day', 'start', 'end', 'member'].flatMap((part) => settingsOf(found, part));
  return [`schedule ${[name, ...details].join(' ')}`.slice(0, 300)];
}
