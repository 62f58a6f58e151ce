import { PROTOCOL } from '#protocol/version.ts';
import { proveEnrolment, tlsBinding } from '#host/identity/enrolmentProof.ts';
import type { Identity } from '#host/identity/certificate.ts';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import { decodeToken } from '#host/identity/joinToken.ts';
import { askMain } from '../../../agent/connection/askMain.ts';
import { dial, type DialOptions } from '../../../agent/connection/dial.ts';

/** Enrols an MDS by its token, in memory only. @returns its name, and how it connects to Main from now on */
export async function enrol(
  port: number,
  tokenText: string,
): Promise<{ readonly name: string; readonly dialOptions: DialOptions }> {
  const { name, mainPin, id, secret } = decodeToken(tokenText);
  const identity = await createIdentity({ commonName: name });
  const options = (path: '/agent' | '/enrol', { keyPem, certificatePem }: Identity): DialOptions => ({
    main: { host: '127.0.0.1', port },
    path,
    keyPem,
    certificatePem,
    mainPins: [mainPin],
  });
  const dialled = await dial(options('/enrol', identity));
  const proof = proveEnrolment({
    secret,
    binding: tlsBinding(dialled.tls),
    agentPin: identity.pin,
    name,
  });
  const answer = await askMain(dialled, { type: 'enrol', protocol: PROTOCOL, name, token: { id, proof } });
  if (answer.type !== 'enrolled') throw new Error(`${name}: Main answered "${answer.type}"`);
  return { name, dialOptions: options('/agent', { ...identity, certificatePem: answer.certificate }) };
}
